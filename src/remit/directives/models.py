"""A directive as Remit takes it in and gives it out.

A caller's data is checked once, in :class:`DirectiveCreate`: what was accepted stays readable when
a limit is lowered later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, Protocol, Self, cast
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.durations import parse_timebox
from remit.base.money import parse_budget
from remit.base.wording import listed, printable
from remit.directives.plain_json import MAX_WEIGHT, TOO_LARGE, find_fault
from remit.errors import InvalidInputError
from remit.vocabulary import DirectiveStatus, StatusReason

TEXT_LIMITS: Mapping[str, int] = {
    "role": 200,
    "type": 200,
    "issued_by": 200,
    "objective": 4000,
    "scope": 200,
    "budget": 64,
    "timebox": 64,
    "idempotency_key": 200,
}
"""Most characters that each text field of a new directive may have."""

NAME_FIELDS = ("role", "type", "issued_by", "scope")
"""Fields that are compared as names: nothing in them may be invisible."""

# Status and idempotency key are no part of the intent, whose size is limited, but are weighed too.
_ROOM = TEXT_LIMITS["idempotency_key"] + 64

_PURPOSES: Mapping[str, str] = {
    "role": "say who is to act",
    "type": "name the module that is to execute it, as `remit modules` lists them",
    "issued_by": "say who asks for it",
    "objective": "say what is to be achieved",
    "scope": 'say where it may act, like "test"',
    "status": 'say "draft" or "proposed"',
}


class Intent(BaseModel):
    """What is asked for: the ten fields that freeze when a directive leaves `draft`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str = Field(description="Who is to act: the role that the directive addresses.")
    type: str = Field(description="The tool asked for: the name of the module that executes it.")
    payload: dict[str, JsonValue] = Field(
        default_factory=dict, description="Input of the module, as a JSON object."
    )
    issued_by: str = Field(description="Who asks for it: whoever proposes it, if left out.")
    objective: str = Field(description="What is to be achieved, in words.")
    scope: str = Field(description="Where it may act; policy lists the scopes that it allows.")
    constraints: dict[str, JsonValue] | None = Field(
        default=None, description="Limits that the module must keep; null: none are given."
    )
    success_metrics: dict[str, JsonValue] | None = Field(
        default=None, description="How success will be told; null: it is not said."
    )
    budget: str | None = Field(
        default=None,
        description='Most US dollars that it may cost, like "$50.00"; null: nothing may be spent.',
    )
    timebox: str | None = Field(
        default=None,
        description='Longest time that it may take, like "5m" or "PT5M"; '
        "null: the module's own limit.",
    )

    @cached_property
    def canonical(self) -> bytes:
        """The ten fields as canonical JSON; InvalidInputError when RFC 8785 has no form for one."""
        return canonical_json(intent_of(self))

    @cached_property
    def content_digest(self) -> str:
        """The action digest of the ten fields as they are now."""
        return sha256_digest(self.canonical)

    @cached_property
    def amount(self) -> Decimal | None:
        """The budget in US dollars; None: none is named; InvalidInputError: it is no amount."""
        return None if self.budget is None else parse_budget(self.budget)


INTENT_FIELDS = tuple(Intent.model_fields)
"""Names of the ten fields, in their order."""


def _describe_limits(schema: dict[str, Any]) -> None:
    """Write the text limits into the JSON Schema, so that both come from one table."""
    for name, limit in TEXT_LIMITS.items():
        field = schema["properties"][name]
        # A field that may be null lists its forms; the first is the text.
        text = field["anyOf"][0] if "anyOf" in field else field
        text |= {"minLength": 1, "maxLength": limit}


class DirectiveCreate(Intent):
    """A directive as a caller sends it. Nothing is assumed about its status."""

    model_config = ConfigDict(strict=True, json_schema_extra=_describe_limits)

    status: Literal["draft", "proposed"] = Field(
        description="`draft` waits to be submitted; `proposed` goes to the gate at once, and is "
        "meant if left out."
    )
    idempotency_key: str | None = Field(
        default=None,
        description="The caller's own key: sent again with the same content, the same directive "
        "is returned; null: every call makes a new one.",
    )

    @model_validator(mode="before")
    @classmethod
    def _hold_plain_json(cls, data: object, info: ValidationInfo) -> object:
        """Refuse what cannot be stored or digested, before anything recurses into it."""
        if not isinstance(data, dict):
            return data
        max_bytes = (info.context or {}).get("max_bytes", MAX_WEIGHT)
        fault = find_fault(data, max_weight=max_bytes + _ROOM)
        if fault is not None and fault.problem is TOO_LARGE:
            raise _unfit(f"too large: {_size_limit(max_bytes)}")
        if fault is not None:
            raise _unfit(fault.problem, fault.path)
        return data

    @field_validator(*TEXT_LIMITS)
    @classmethod
    def _be_short_text(cls, text: str | None, info: ValidationInfo) -> str | None:
        name = str(info.field_name)
        if text is None:
            return text
        if not text.strip():
            raise _unfit(f"empty: {_PURPOSES.get(name, 'leave it out or fill it')}")
        if len(text) > TEXT_LIMITS[name]:
            raise _unfit(f"too long: at most {TEXT_LIMITS[name]} characters")
        return text

    @field_validator(*NAME_FIELDS)
    @classmethod
    def _be_a_plain_name(cls, name: str) -> str:
        # "alice" and "alice " or "alice\u200b" look alike to the person who compares them.
        if name != name.strip():
            raise _unfit("starts or ends with a space: remove it")
        for character in name:
            if not character.isprintable():
                raise _unfit(f"holds an invisible character (U+{ord(character):04X}): remove it")
        return name

    @field_validator("timebox")
    @classmethod
    def _be_a_timebox(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                parse_timebox(text)
            except InvalidInputError as error:
                raise _unfit(error.message) from error
        return text


class Row(Protocol):
    """A database row, as far as a reader needs to know: values by column name."""

    def __getitem__(self, column: str, /) -> object: ...  # noqa: D105 - the usual subscript


class DirectiveRead(Intent):
    """A directive as Remit keeps it."""

    id: UUID = Field(description="Its identifier, made by Remit.")
    status: DirectiveStatus = Field(description="Where it stands in its lifecycle.")
    status_reason: StatusReason | None = Field(
        description="Why it is blocked or aborted, or executes in doubt; null otherwise."
    )
    action_digest: str | None = Field(
        description="Digest of the frozen intent; null while it is a draft."
    )
    idempotency_key: str | None = Field(description="The caller's own key; null: none was sent.")
    created_at: AwareDatetime = Field(description="When it was taken in.")
    updated_at: AwareDatetime = Field(description="When its status last changed.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Build one from a database row that has at least these columns; others are ignored."""
        return cls.model_validate({name: row[name] for name in cls.model_fields})


def intent_of(model: Intent) -> dict[str, JsonValue]:
    """Return exactly the ten fields of the intent, as plain JSON."""
    return {name: getattr(model, name) for name in INTENT_FIELDS}


def parse_directive(data: object, *, max_bytes: int) -> DirectiveCreate:
    """Return what a caller sent as a new directive; `max_bytes` is of its canonical JSON.

    Raises:
        InvalidInputError: `field` is the dotted path of the first problem, or None when it is the
            directive as a whole; the message names the fix.
    """
    try:
        directive = DirectiveCreate.model_validate(data, context={"max_bytes": max_bytes})
    except ValidationError as error:
        raise _first_problem(error.errors(include_url=False)[0]) from error
    if len(directive.canonical) > max_bytes:
        raise InvalidInputError(f"too large: {_size_limit(max_bytes)}")
    return directive


def _size_limit(max_bytes: int) -> str:
    return f"at most {max_bytes} bytes of canonical JSON; shorten the payload"


def _unfit(problem: str, path: str = "") -> PydanticCustomError:
    # Carries our own words, and a path below the field, through pydantic.
    return PydanticCustomError("unfit", "{problem}", {"problem": problem, "path": path})


def _first_problem(error: ErrorDetails) -> InvalidInputError:
    context = error.get("ctx", {})
    path = context.get("path") or ".".join(printable(str(part), 40) for part in error["loc"])
    return InvalidInputError(_wording(error, path), field=path or None)


def _wording(error: ErrorDetails, path: str) -> str:
    known = listed(DirectiveCreate.model_fields, "and")
    wordings = {
        "unfit": error["msg"],
        "missing": f"missing: {_PURPOSES.get(path, 'fill it')}",
        "extra_forbidden": f"unknown field; known fields are {known}",
        "string_type": "must be text",
        "dict_type": "must be a JSON object",
        "literal_error": _PURPOSES.get(path, error["msg"]),
        "model_type": f"a directive must be a JSON object with the fields {known}",
    }
    return wordings.get(error["type"], error["msg"])


FILLED_IN = ("issued_by", "status")
"""Fields that a door fills in where they are left out: who proposes, and `proposed`."""


def directive_json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of what a door takes; :data:`FILLED_IN` may be left out.

    Number and nesting limits, the size limit and the forms of a timebox are checked on arrival.
    """
    schema: dict[str, JsonValue] = DirectiveCreate.model_json_schema()
    fields = DirectiveCreate.model_fields
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "required": [
            name for name in fields if fields[name].is_required() and name not in FILLED_IN
        ],
        "title": "Directive",
        "description": "What is to be done, by whom, for what purpose and within which limits.",
    }


@dataclass(frozen=True, slots=True)
class UnreadableDirective:
    """A directive whose row nobody can read; it is listed, and nothing else is done to it.

    `status` is what the database says, perhaps none that there is; `column` is at fault.
    """

    id: UUID
    status: str
    status_reason: Literal["unreadable"]
    column: str

    @classmethod
    def from_row(cls, row: Row, column: str) -> Self:
        """Build one from a row and the column that cannot be read."""
        return cls(cast("UUID", row["id"]), str(row["status"]), "unreadable", column)
