"""The kinds of value that a policy holds, each with its check and its plain JSON form."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StrictInt
from pydantic_core import PydanticCustomError

from remit.base.durations import LONGEST_TIMEBOX, parse_timebox
from remit.base.money import parse_budget
from remit.base.wording import quoted
from remit.errors import InvalidInputError


def unfit(problem: str) -> PydanticCustomError:
    """Return the error that carries our own words through pydantic."""
    return PydanticCustomError("unfit", "{problem}", {"problem": problem})


def _money(value: object) -> Decimal:
    if isinstance(value, Decimal):
        # Its plain notation is held to the same rules; NaN and exponents do not pass them.
        value = str(value)
    if not isinstance(value, str):
        raise unfit('must be text, like "$100.00"')
    try:
        return parse_budget(value)
    except InvalidInputError as error:
        raise unfit(error.message) from error


def _length_of_time(value: object) -> timedelta:
    if isinstance(value, timedelta):
        if value.microseconds or not timedelta(0) < value <= LONGEST_TIMEBOX:
            raise unfit("must be whole seconds, at least 1s and at most 30d")
        return value
    if not isinstance(value, str):
        raise unfit('must be text, like "24h"')
    try:
        return parse_timebox(value)
    except InvalidInputError as error:
        raise unfit(error.message) from error


def _name(value: object) -> object:
    """Refuse a name that is empty or holds something invisible; it could never match."""
    if isinstance(value, str) and (not value.isprintable() or value != value.strip() or not value):
        raise unfit(f"{quoted(value)} is not a name: use visible characters, no space around them")
    return value


def _someone(count: int) -> int:
    if count < 1:
        raise unfit("must be at least 1: with no approval needed, nobody would be asked")
    return count


def sorted_set(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in one order: they are a set, so their order must not change the digest."""
    return tuple(sorted(set(values)))


Money = Annotated[Decimal, BeforeValidator(_money), PlainSerializer(str)]
"""US dollars with exactly two decimals, not negative."""

Length = Annotated[
    timedelta,
    BeforeValidator(_length_of_time),
    PlainSerializer(lambda length: f"{length // timedelta(seconds=1)}s"),
]
"""A length of time in whole seconds."""

Name = Annotated[str, BeforeValidator(_name)]
"""A name that is compared exactly, case included."""

Approvals = Annotated[StrictInt, AfterValidator(_someone)]
"""How many people must approve; a gate that needs nobody would be none."""
