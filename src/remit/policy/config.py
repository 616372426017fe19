"""The policy: read from a TOML file, frozen, versioned, and named by a digest.

Doors load it once and pass it down. `default.toml` beside this module is both the default and the
example to copy.
"""

import tomllib
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.wording import one_line, printable, quoted
from remit.errors import InvalidInputError
from remit.policy.limits import BudgetLimit
from remit.policy.validation import (
    FILE_KEYS,
    Fault,
    contradictions,
    flattened,
    left_out,
    unknown_key,
)
from remit.policy.values import Approvals, Length, Money, Name, sorted_set, unfit
from remit.user_files import read_settled

_MOST_TOLD = 50
_ADDED = ("independent_tokens", "redeemed_tokens")


class ApprovalRule(BaseModel):
    """When a person must decide: every criterion given must match."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description="How reasons name the rule.")
    scope: Name | None = Field(default=None, description="This very scope; None: any.")
    type: Name | None = Field(default=None, description="This very tool; None: any.")
    amount_over: Money | None = Field(
        default=None, description="A budget larger than this; None: any budget, or none."
    )
    required_approvals: Approvals | None = Field(
        default=None, description="How many must approve, if more than elsewhere; None: as there."
    )

    @model_validator(mode="after")
    def _have_a_criterion(self) -> Self:
        # A rule with none would match everything, which nobody writes on purpose.
        if self.scope is None and self.type is None and self.amount_over is None:
            raise unfit("gives no criterion: add scope, type or amount_over")
        return self


def _tell_apart(noun: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise unfit(f"two {noun} are named {quoted(name)}: give each a name of its own")


class ApprovalPolicy(BaseModel):
    """Who decides, how many of them, and how long they have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    required_approvals: Approvals = Field(default=1, description="How many must approve.")
    expires_after: Length = Field(
        default=timedelta(hours=24), description="How long a request waits for votes."
    )
    allow_self_approval: StrictBool = Field(
        default=False, description="Whether the issuer's own vote counts."
    )
    rejection_ends: StrictBool = Field(
        default=True,
        description="Whether one rejection ends a request; else it only withholds an approval.",
    )
    approver_groups: tuple[Name, ...] = Field(
        default=(), description="Groups whose members may vote; empty: every voter."
    )
    independent_tokens: StrictBool = Field(
        default=False,
        description="Whether whoever made two voters' tokens, or issued it, makes them one person.",
    )
    redeemed_tokens: StrictBool = Field(
        default=False, description="Whether voters must have made their tokens of invitations."
    )
    rules: tuple[ApprovalRule, ...] = Field(default=(), description="When a person must decide.")

    @field_validator("approver_groups")
    @classmethod
    def _be_a_set(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return sorted_set(names)

    @field_validator("rules")
    @classmethod
    def _be_told_apart(cls, rules: tuple[ApprovalRule, ...]) -> tuple[ApprovalRule, ...]:
        _tell_apart("rules", [rule.name for rule in rules])
        return rules


class PolicyConfig(BaseModel):
    """One policy. What it does not list, it does not allow: built with nothing, it blocks all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Name = Field(default="unversioned", description="What the policy calls itself.")
    budget_ceiling: Money = Field(
        default=Decimal("0.00"), description="Most US dollars that one directive may cost."
    )
    budget_limits: tuple[BudgetLimit, ...] = Field(
        default=(), description="What directives may cost together; empty: no limit together."
    )
    allowed_tools: tuple[Name, ...] = Field(default=(), description="Tools; empty: none.")
    allowed_scopes: tuple[Name, ...] = Field(default=(), description="Scopes; empty: none.")
    approval: ApprovalPolicy = Field(
        default=ApprovalPolicy(), description="Who decides where a person must."
    )
    grant_valid_for: Length = Field(
        default=timedelta(hours=1), description="How long a grant waits for its run."
    )

    @field_validator("allowed_tools", "allowed_scopes")
    @classmethod
    def _be_a_set(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return sorted_set(names)

    @field_validator("budget_limits")
    @classmethod
    def _be_one_set(cls, limits: tuple[BudgetLimit, ...]) -> tuple[BudgetLimit, ...]:
        _tell_apart("limits", [limit.name for limit in limits])
        # All that apply are judged, so their order means nothing and must not change the digest.
        return tuple(sorted(limits, key=lambda limit: limit.name))

    def canonical(self) -> dict[str, JsonValue]:
        """Return the whole policy as plain JSON; `PolicyConfig.model_validate` takes it back."""
        # Policies of before these keys asked neither, and their digests stay what they were.
        left_out = {name: True for name in _ADDED if not getattr(self.approval, name)}
        return self.model_dump(mode="json", exclude={"approval": left_out})

    @cached_property
    def digest(self) -> str:
        """The digest of the whole policy: "sha256:" and hexadecimal digits."""
        return sha256_digest(canonical_json(self.canonical()))


_MOST_BYTES = 1024 * 1024


@cache
def default_policy() -> PolicyConfig:
    """Return the policy that is used when none is named."""
    text = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
    return parse_policy(text, source="default.toml")


def load_policy(path: Path) -> PolicyConfig:
    """Return the policy that the file at `path` holds; see :func:`parse_policy`."""
    return parse_policy(read_policy(path), source=str(path))


def read_policy(path: Path) -> str:
    """Return the text of a policy file; InvalidInputError when it cannot be read."""
    try:
        # A byte order mark, which some editors write, is no part of the text.
        return read_settled(path, most=_MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(
            f"{printable(str(path), 300)}: cannot be read ({reason}): name a policy file"
        ) from error
    except ValueError as error:
        raise InvalidInputError(
            f"{printable(str(path), 300)}: is not text: save it as UTF-8"
        ) from error


def parse_policy(text: str, *, source: str) -> PolicyConfig:
    """Return the policy that TOML text holds.

    Raises:
        InvalidInputError: `text` is no policy; the message names all that is wrong at once, and
            `field` is None, as the keys are of the file and not of the caller's input.
    """
    source = printable(source, 300)
    try:
        policy, faults = _read(text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{source}: not TOML: {one_line(str(error), 200)}") from error
    except RecursionError as error:
        raise InvalidInputError(f"{source}: not a policy: nested too deeply") from error
    except ValueError as error:
        # The one thing that TOML's reader lets through: whole numbers of thousands of digits.
        problem = "not TOML: holds a number that is too large"
        raise InvalidInputError(f"{source}: {problem}") from error
    if policy is None or faults:
        told = [f"{path}: {problem}" for path, problem in faults]
        raise InvalidInputError(f"{source}: {_all_of(told)}", faults=told)
    return policy


def _read(text: str, document: dict[str, object]) -> tuple[PolicyConfig | None, list[Fault]]:
    flat, faults = flattened(document, ApprovalPolicy.model_fields)
    policy = None
    try:
        policy = PolicyConfig.model_validate(flat)
    except ValidationError as error:
        faults += [_worded(each) for each in error.errors(include_url=False)]
    known = {path for path, _ in faults}
    more = [*contradictions(document), *left_out(text, document)]
    return policy, [*faults, *(each for each in more if each[0] not in known)]


def _all_of(told: Sequence[str]) -> str:
    if len(told) == 1:
        return told[0]
    more = len(told) - _MOST_TOLD
    numbered = [f"({at}) {each}" for at, each in enumerate(told[:_MOST_TOLD], 1)]
    left = [f"and {more} more"] if more > 0 else []
    return f"{len(told)} faults: {'; '.join([*numbered, *left])}"


def _worded(error: ErrorDetails) -> Fault:
    loc = error["loc"]
    in_file = {
        field: f"{table}.{key}" for table, keys in FILE_KEYS.items() for key, field in keys.items()
    }
    path = in_file.get(str(loc[0]), str(loc[0]))
    path += "".join(
        f"[{part}]" if isinstance(part, int) else f".{printable(part, 40)}" for part in loc[1:]
    )
    nested: type[BaseModel] = ApprovalRule if "rules" in loc[:-1] else ApprovalPolicy
    known = (BudgetLimit if loc[0] == "budget_limits" else nested).model_fields
    wordings = {
        "extra_forbidden": unknown_key(str(loc[-1]), known),
        "literal_error": f"must be {error.get('ctx', {}).get('expected')}".replace("'", '"'),
        "missing": "missing: add it",
        "string_type": "must be text",
        "tuple_type": 'must be a list, like ["echo"]',
        "model_type": "must be a table",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
    }
    return path, wordings.get(error["type"], error["msg"])
