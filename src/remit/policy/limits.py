"""Limits on what directives may spend together in a stretch of the calendar. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from remit.base.wording import quoted
from remit.policy.values import Money, Name, unfit
from remit.vocabulary import Period

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
_SUM = re.compile(r"\d{1,20}\.\d{2}", re.ASCII)


def _key(value: object) -> object:
    if isinstance(value, str) and not _KEY.fullmatch(value):
        raise unfit(
            f"{quoted(value)} is not the name of a limit: "
            'use at most 100 of a-z, 0-9, ".", "_" and "-", a letter or digit first'
        )
    return value


class BudgetLimit(BaseModel):
    """The most that directives may cost together in one period."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, BeforeValidator(_key)] = Field(description="How reasons name the limit.")
    ceiling: Money = Field(description="Most US dollars, promised and spent, in one period.")
    period: Period = Field(description="The stretch of the calendar; the next begins at zero.")
    role: Name | None = Field(
        default=None, description="Directives of this role; None: of all roles together."
    )
    at_cap: Literal["block", "ask"] = Field(
        default="block", description="Whether a directive that would pass it may ask a person."
    )

    @property
    def account(self) -> str:
        """The key of the account that adds up what is spent under this limit."""
        # A limit's name holds no "@", so no two limits of a policy share an account.
        return self.name if self.role is None else f"{self.name}@{self.role}"

    @property
    def each(self) -> str:
        """The period, to end a rate with: `an hour`, `a day`."""
        return f"an {self.period}" if self.period == "hour" else f"a {self.period}"

    @property
    def passed(self) -> str:
        """What is wrong with a directive that would pass the limit; the same for every one."""
        # An approval answers the reasons that it was asked for, so they may hold no sum that moves.
        whose = "" if self.role is None else f" for role {quoted(self.role)}"
        return f"limit {self.name}: budget would pass ${self.ceiling:,} {self.each}{whose}"


def read_sum(committed: Mapping[str, str], limit: BudgetLimit) -> Decimal | None:
    """Return what is committed under a limit; zero when nothing is told, None when unreadable."""
    text = committed.get(limit.name, "0.00")
    return Decimal(text) if _SUM.fullmatch(text) else None


def fits(limit: BudgetLimit, committed: Decimal, amount: Decimal) -> bool:
    """Return whether `amount` more stays within the limit."""
    # As fractions: a sum of decimals would round to the precision of the caller's context.
    return Fraction(committed) + Fraction(amount) <= Fraction(limit.ceiling)
