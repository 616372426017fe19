"""The tour's script: what is proposed, what people do about it, and what must come of it.

A tour file is JSONL; blank lines are skipped. Each line is one :class:`Scene`::

    {"title": "Into staging, with a person's approval",
     "directive": {"role": "executor", "type": "echo", ...},
     "person": [{"act": "approve", "as": "operator"}],
     "expect": {"verdict": "require_approval", "status": "complete",
                "approved_by": ["operator"], "run": "completed", "attempts": 1}}

What `expect` leaves out must not have happened: no run, no approval, no effect. Reading a script
touches nothing but the file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from remit.base.wording import listed, one_line, printable
from remit.directives.models import DirectiveCreate, parse_directive
from remit.errors import InvalidInputError
from remit.identity.names import check_name
from remit.identity.types import Principal
from remit.user_files import read_file
from remit.vocabulary import DirectiveStatus, ErrorType, RunStatus, StatusReason

LEDGER = "ledger"
"""The directive type whose effects the tour can count."""

_MAX_DIRECTIVE_BYTES = 65536
_MAX_LINE_CHARACTERS = 1_000_000


def _check_name(text: str) -> str:
    try:
        check_name(text, field="as")
    except InvalidInputError as error:
        raise PydanticCustomError("unfit", "{problem}", {"problem": error.message}) from error
    return text


Words = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, AfterValidator(_check_name)]


class Act(BaseModel):
    """Something that somebody does, or tries to do, about a directive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    act: Literal["approve", "reject", "cancel", "retry"] = Field(description="What is done.")
    by: Name = Field(alias="as", description="Who does it.")
    reason: Words | None = Field(default=None, description="Why; a rejection needs it.")
    after_seconds: float = Field(
        default=0.0, ge=0, le=60, description="How long they take before it, in seconds."
    )
    refused: ErrorType | None = Field(
        default=None, description="The error that Remit must answer with; null: it must accept."
    )


class Outcome(BaseModel):
    """What became of a directive: what a scene expects, and what was found, in the same words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Literal["allow", "require_approval", "block"] = Field(
        description="The gate's first answer."
    )
    status: DirectiveStatus = Field(description="The status it ended in.")
    reason: StatusReason | None = Field(default=None, description="Why it was stopped.")
    blocked_by: tuple[str, ...] = Field(
        default=(), description="The policies that blocked it, in the order of their results."
    )
    approved_by: tuple[str, ...] = Field(
        default=(), description="The people whose votes its newest grant names."
    )
    run: RunStatus | None = Field(default=None, description="How its run ended; null: none ran.")
    attempts: int = Field(default=0, ge=0, description="How many attempts of its run began.")
    effects: int = Field(default=0, ge=0, description="How many effects the ledger counts for it.")


class Scene(BaseModel):
    """One line of the script."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=48)] = Field(
        description="What it shows, in a few words."
    )
    directive: DirectiveCreate = Field(description="What is proposed.")
    times: int = Field(default=1, ge=1, le=10, description="How often it is proposed.")
    person: tuple[Act, ...] = Field(default=(), description="What people do, one after another.")
    kill_worker: bool = Field(
        default=False,
        description="Whether the worker is killed once the ledger holds the effect. Such a scene "
        "begins when all others have ended: the kill would hit them as well.",
    )
    expect: Outcome = Field(description="What must come of it.")

    @model_validator(mode="after")
    def _be_possible(self) -> Self:
        if self.kill_worker and self.directive.type != LEDGER:
            raise _unfit("kill_worker", f'needs the type "{LEDGER}", whose effects can be counted')
        if self.times > 1 and self.directive.idempotency_key is None:
            raise _unfit("times", "needs an idempotency_key in the directive, or it is another one")
        if self.directive.status != "proposed":
            raise _unfit("directive.status", 'say "proposed": a draft never reaches the gate')
        try:
            check_name(self.directive.issued_by, field="issued_by")
        except InvalidInputError as error:
            raise _unfit("directive.issued_by", error.message) from error
        return self


def principals_of(script: Sequence[Scene]) -> tuple[Principal, ...]:
    """Return everybody whom the script names, as they must be known for it to be played.

    A name is a person's when the script lets it do what no agent may: vote, or steer what another
    issued. Everybody else is an agent, which proposes, and steers only what it issued itself.
    """
    people = set(_people(script))
    names = {scene.directive.issued_by for scene in script}
    names.update(act.by for scene in script for act in scene.person)
    return tuple(
        Principal(name, "human", roles=("approver", "operator", "proposer"))
        if name in people
        else Principal(name, "agent", roles=("proposer",))
        for name in sorted(names)
    )


def _people(script: Sequence[Scene]) -> Iterator[str]:
    """Yield whoever does something that only a person may, and is not to be refused."""
    for scene in script:
        for act in scene.person:
            votes = act.act in {"approve", "reject"}
            if act.refused is None and (votes or act.by != scene.directive.issued_by):
                yield act.by


def load_script(path: Path) -> tuple[Scene, ...]:
    """Return the scenes of the tour file at `path`."""
    name = printable(str(path), 300)
    try:
        text = read_file(path).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{name}: cannot be read ({reason}): name a tour file") from error
    except ValueError as error:
        raise InvalidInputError(f"{name}: is not text: save it as UTF-8") from error
    return parse_script(text, source=name)


def parse_script(text: str, *, source: str) -> tuple[Scene, ...]:
    """Return the scenes that JSONL text holds; messages call it `source`."""
    scenes: list[Scene] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            scenes.append(_scene(line))
        except InvalidInputError as error:
            raise InvalidInputError(f"{source}: line {number}: {error}") from error
    if not scenes:
        raise InvalidInputError(f"{source}: holds no directive: write one a line, as JSON")
    return tuple(scenes)


def _scene(line: str) -> Scene:
    if len(line) > _MAX_LINE_CHARACTERS:
        raise InvalidInputError(f"too long: at most {_MAX_LINE_CHARACTERS} characters")
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        message = f"not JSON: {one_line(error.msg, 100)} (column {error.colno})"
        raise InvalidInputError(message) from error
    except (RecursionError, ValueError) as error:
        message = "not JSON that can be read: nested too deeply, or too long a number"
        raise InvalidInputError(message) from error
    known = listed(Scene.model_fields, "and")
    if not isinstance(data, dict):
        raise InvalidInputError(f"must be a JSON object with the fields {known}")
    if "directive" in data:
        try:
            parsed = parse_directive(data["directive"], max_bytes=_MAX_DIRECTIVE_BYTES)
        except InvalidInputError as error:
            field = ".".join(filter(None, ("directive", error.field)))
            raise InvalidInputError(error.message, field=field) from error
        data = {**data, "directive": parsed}
    try:
        return Scene.model_validate(data)
    except ValidationError as error:
        raise _first_problem(error.errors(include_url=False)[0]) from error


def _unfit(path: str, problem: str) -> PydanticCustomError:
    return PydanticCustomError("unfit", "{problem}", {"problem": problem, "path": path})


_MODELS: Mapping[str, type[BaseModel]] = {"expect": Outcome, "person": Act}
_MISSING: Mapping[str, str] = {
    "title": "say in a few words what it shows",
    "directive": "say what is proposed",
    "expect": "say what must come of it",
    "expect.verdict": 'say what the gate answers, like "allow"',
    "expect.status": 'say the status it ends in, like "complete"',
}


def _first_problem(error: ErrorDetails) -> InvalidInputError:
    context = error.get("ctx", {})
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{printable(part, 40)}" for part in error["loc"]
    ).lstrip(".")
    path = str(context.get("path", path))
    fields = _MODELS.get(str(error["loc"][0]), Scene) if error["loc"] else Scene
    known = [field.alias or name for name, field in fields.model_fields.items()]
    expected = str(context.get("expected", ""))
    wordings = {
        "unfit": error["msg"],
        "missing": f"missing: {_MISSING.get(path, 'fill it')}",
        "extra_forbidden": f"unknown field; known fields are {listed(known, 'and')}",
        "string_type": "must be text",
        "tuple_type": "must be a list",
        "model_type": f"must be a JSON object with the fields {listed(known, 'and')}",
        "literal_error": f"must be {expected}",
    }
    return InvalidInputError(wordings.get(error["type"], error["msg"]), field=path)
