"""What a run spent, and how its promise is closed."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, localcontext
from uuid import UUID

import pytest

from remit.base.json_types import JsonObject
from remit.budget.costs import (
    add_costs,
    attempt_cost,
    attempt_costs,
    closing_of,
    parse_cost,
)
from remit.budget.types import (
    LARGEST_AMOUNT,
    Committed,
    held_after,
    in_cents,
    settlement,
)
from remit.cognition.pricing import completion_cost, embedding_cost
from remit.execution.models import output_to_json
from remit.execution.modules.types import ModuleOutput

GRANT = UUID(int=1)


def costs(*told: str | None) -> list[Decimal | None]:
    return [None if one is None else Decimal(one) for one in told]


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize(
    ("told", "models", "spent"),
    [("1.50", [], "1.50"), ("1.50", costs("0.25"), "1.75"), ("0", costs("0"), "0")],
)
def test_what_is_told_is_spent_with_what_models_cost(
    told: str, models: list[Decimal | None], spent: str, *, completed: bool
) -> None:
    closing = closing_of([*costs(told), *models], completed=completed)
    nothing = not completed and spent == "0"
    assert closing == (None if nothing else (Decimal(spent), False))


@pytest.mark.parametrize(
    ("told", "models", "completed", "at_least"),
    [
        (None, [], True, "0"),
        (None, costs("3"), True, "3"),
        (None, costs("0", None), False, "0"),
        ("0", costs("0", None), False, "0"),
        ("2", costs("3", None), False, "5"),
        ("2", costs("3", None), True, "5"),
    ],
)
def test_what_nobody_knows_counts_as_the_whole_promise(
    told: str | None, models: list[Decimal | None], at_least: str, *, completed: bool
) -> None:
    closing = closing_of([*attempt_costs(costs(told), 1), *models], completed=completed)
    assert closing == (Decimal(at_least), True)


def test_a_run_that_failed_and_spent_nothing_gives_all_of_it_back() -> None:
    assert closing_of(costs("0"), completed=False) is None
    assert closing_of(costs("0", "0.01"), completed=False) == (Decimal("0.01"), False)


def test_no_sum_keeps_a_run_from_ending() -> None:
    closing = closing_of(costs(str(LARGEST_AMOUNT), "1"), completed=True)
    assert closing == (LARGEST_AMOUNT, False)


def test_every_attempt_counts_and_one_that_never_ended_may_have_cost_anything() -> None:
    each = costs("0.30", "0.30", "0.30")
    assert add_costs(attempt_costs(each, 3)) == (Decimal("0.90"), False)
    assert add_costs(attempt_costs(each[:2], 3)) == (Decimal("0.60"), True)


@pytest.mark.parametrize(
    ("output", "cost"),
    [
        (ModuleOutput.success(cost=Decimal("0.30")), "0.30"),
        (ModuleOutput.success(), None),
        (ModuleOutput.failure("no", cost=Decimal("0.30"), retryable=True), "0.30"),
        (ModuleOutput.failure("no"), "0.00"),
        (ModuleOutput.error_("it broke"), None),
        (ModuleOutput.error_("slow", error_type="timed_out"), None),
        (ModuleOutput.error_("none such", error_type="module_not_found"), "0.00"),
        (ModuleOutput.error_("not so", error_type="invalid_input"), "0.00"),
    ],
)
def test_what_raised_or_took_too_long_may_have_cost_anything(
    output: ModuleOutput, cost: str | None
) -> None:
    assert attempt_cost(output_to_json(output)) == (None if cost is None else Decimal(cost))


def test_a_sum_tells_whether_a_cost_is_missing() -> None:
    assert add_costs([]) == (Decimal(0), False)
    assert add_costs([Decimal("0.1"), None, Decimal("0.2")]) == (Decimal("0.3"), True)


@pytest.mark.parametrize("written", ["0", "0.000001", "999999999.999999999999"])
def test_a_cost_is_read_as_it_was_written(written: str) -> None:
    assert parse_cost(written) == Decimal(written)


@pytest.mark.parametrize("written", [None, 1, 0.5, "", "-1", "NaN", "1e3", "1\n", "٣", "1.", ".5"])
def test_what_is_no_amount_is_no_cost(written: object) -> None:
    assert parse_cost(written) is None


@pytest.mark.parametrize(
    ("spent", "cents"), [("0", "0.00"), ("0.000001", "0.01"), ("1.01", "1.01"), ("1.011", "1.02")]
)
def test_a_part_of_a_cent_is_a_whole_one(spent: str, cents: str) -> None:
    assert str(in_cents(Decimal(spent))) == cents


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "1E+12"])
def test_a_least_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        settlement(GRANT, Decimal(amount), unknown=True)


@pytest.mark.parametrize("told", [["-0.01"], ["-0.01", None]])
def test_costs_that_come_to_no_amount_close_nothing(told: list[str | None]) -> None:
    with pytest.raises(ValueError, match="no amount"):
        closing_of(costs(*told), completed=True)


HELD = {"a": Committed("A", datetime(2026, 1, 1, tzinfo=UTC), Decimal("123456.78"))}
MORE: JsonObject = {"account": "A", "amount": "0.01"}


@pytest.mark.parametrize(
    "reckon",
    [
        lambda: ModuleOutput.success({}, cost=Decimal("123456.78")),
        lambda: in_cents(Decimal("123456.781")),
        lambda: add_costs([Decimal("1234.5678"), None, Decimal("0.0021")]),
        lambda: closing_of(costs("1234.56", "0.0021"), completed=True),
        lambda: held_after(HELD, [MORE]),
        lambda: embedding_cost("text-embedding-3-large", 123_456_789),
        lambda: completion_cost("openai", "gpt-6-sol", 271_999, 123_457),
        lambda: parse_cost("123456.789012345678"),
        lambda: f"{Decimal('123456.78'):,}",
    ],
)
@pytest.mark.parametrize("traps", [[], [Inexact]])
def test_the_precision_that_a_module_sets_decides_about_no_amount(
    reckon: Callable[[], object], traps: list[type[Inexact]]
) -> None:
    expected = reckon()
    with localcontext(Context(prec=4, Emax=3, traps=traps)):
        assert str(reckon()) == str(expected)
