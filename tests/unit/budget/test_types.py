"""From limits to reservations: pure steps, so a table says it all."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from remit.budget.types import (
    Committed,
    held_after,
    obstacles,
    reservations,
    settlement,
)
from remit.policy.limits import BudgetLimit

TODAY = datetime(2025, 3, 1, tzinfo=UTC)
DAILY = BudgetLimit(name="daily", ceiling=Decimal(100), period="day")
ASKING = BudgetLimit(
    name="ops", ceiling=Decimal(50), period="month", role="operations", at_cap="ask"
)
ASKED = 'limit ops: budget would pass $50.00 a month for role "operations"'
HELD = {
    "daily": Committed("daily", TODAY, Decimal("60.00")),
    "ops": Committed("ops@operations", TODAY, Decimal("45.00")),
}
PROMISE: dict[str, Any] = {"directive_id": UUID(int=1), "grant_id": UUID(int=2)}
TEN = Decimal("10.00")


@pytest.mark.parametrize(
    ("amount", "agreed", "found"),
    [
        ("5.00", (), []),
        ("5.01", (), [ASKED]),
        ("5.01", (ASKED,), []),
        ("5.01", (ASKED.replace("$50", "$51"),), [ASKED]),
        ("40.00", (ASKED,), []),
        ("40.01", (), ["limit daily: budget would pass $100.00 a day", ASKED]),
        (
            "40.01",
            (ASKED, "limit daily: budget would pass $100.00 a day"),
            ["limit daily: budget would pass $100.00 a day"],
        ),
    ],
)
def test_only_a_limit_that_asks_may_be_passed_and_only_for_the_reason_agreed_to(
    amount: str, agreed: tuple[str, ...], found: list[str]
) -> None:
    assert obstacles(Decimal(amount), (DAILY, ASKING), HELD, agreed) == found


@pytest.mark.parametrize(("agreed", "ceiling"), [((), "50.00"), ((ASKED,), None)])
def test_a_promise_is_reserved_under_every_limit(
    agreed: tuple[str, ...], ceiling: str | None
) -> None:
    row = {name: str(value) for name, value in PROMISE.items()}
    row |= {"period_start": TODAY.isoformat(), "amount": "10.00"}
    assert reservations(TEN, (DAILY, ASKING), HELD, agreed, **PROMISE) == [
        {**row, "account": "daily", "ceiling": "100.00"},
        {**row, "account": "ops@operations", "ceiling": ceiling},
    ]


def test_the_next_of_a_batch_is_judged_with_what_those_before_it_were_promised() -> None:
    both = reservations(TEN, (DAILY, ASKING), HELD, **PROMISE)
    alone = reservations(TEN, (DAILY,), HELD, **PROMISE)
    after = held_after(HELD, [*both, *alone])
    amounts = {name: one.amount for name, one in after.items()}
    assert amounts == {"daily": Decimal("80.00"), "ops": Decimal("55.00")}
    assert after["ops"].period_start == TODAY


@pytest.mark.parametrize(
    ("spent", "cents"), [("0", "0.00"), ("0.001", "0.01"), ("999999999999.99", "999999999999.99")]
)
def test_a_settlement_takes_any_amount(spent: str, cents: str) -> None:
    known = {"grant_id": str(UUID(int=2)), "spent": cents, "at_least": "0.00"}
    assert settlement(UUID(int=2), Decimal(spent)) == known
    unknown = {**known, "spent": None, "at_least": cents}
    assert settlement(UUID(int=2), Decimal(spent), unknown=True) == unknown


@pytest.mark.parametrize("spent", ["-0.01", "NaN", "Infinity", "-Infinity", "1000000000000"])
def test_a_settlement_refuses_what_is_no_amount(spent: Any) -> None:
    with pytest.raises(ValueError, match=r"is no amount that can have been spent$"):
        settlement(UUID(int=2), Decimal(spent))
