"""What a run spent, and how its promise is closed."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, localcontext
from uuid import UUID

import pytest

from remit.base.json_types import JsonObject
from remit.budget.costs import (
    NO_MODELS,
    ModelCosts,
    add_costs,
    attempt_cost,
    attempts_cost,
    closing_of,
    parse_cost,
)
from remit.budget.types import (
    LARGEST_AMOUNT,
    Closing,
    Committed,
    held_after,
    in_cents,
)
from remit.cognition.pricing import completion_cost, embedding_cost
from remit.execution.models import output_to_json
from remit.execution.modules.types import ModuleOutput

GRANT = UUID(int=1)


def models(known: str, *, unknown: bool = False) -> ModelCosts:
    return ModelCosts(Decimal(known), unknown=unknown)


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize(
    ("told", "costs", "spent"),
    [("1.50", NO_MODELS, "1.50"), ("1.50", models("0.25"), "1.75"), ("0", models("0"), "0")],
)
def test_what_is_told_is_spent_with_what_models_cost(
    told: str, costs: ModelCosts, spent: str, *, completed: bool
) -> None:
    closing = closing_of(GRANT, models(told), costs, completed=completed)
    nothing = not completed and spent == "0"
    assert closing == (None if nothing else Closing(GRANT, Decimal(spent)))


@pytest.mark.parametrize(
    ("told", "costs", "completed", "at_least"),
    [
        (None, NO_MODELS, True, "0"),
        (None, models("3"), True, "3"),
        (None, models("0", unknown=True), False, "0"),
        ("2", models("3", unknown=True), False, "5"),
        ("2", models("3", unknown=True), True, "5"),
    ],
)
def test_what_nobody_knows_counts_as_the_whole_promise(
    told: str | None, costs: ModelCosts, at_least: str, *, completed: bool
) -> None:
    attempts = attempts_cost([None if told is None else Decimal(told)], 1)
    closing = closing_of(GRANT, attempts, costs, completed=completed)
    assert closing == Closing(GRANT, None, Decimal(at_least))


def test_a_run_that_failed_and_spent_nothing_gives_all_of_it_back() -> None:
    assert closing_of(GRANT, models("0"), NO_MODELS, completed=False) is None
    closing = closing_of(GRANT, models("0"), models("0.01"), completed=False)
    assert closing == Closing(GRANT, Decimal("0.01"))


def test_no_sum_keeps_a_run_from_ending() -> None:
    closing = closing_of(GRANT, models(str(LARGEST_AMOUNT)), models("1"), completed=True)
    assert closing == Closing(GRANT, LARGEST_AMOUNT)


def test_every_attempt_counts_and_one_that_never_ended_may_have_cost_anything() -> None:
    costs = [Decimal("0.30"), Decimal("0.30"), Decimal("0.30")]
    assert attempts_cost(costs, 3) == models("0.90")
    assert attempts_cost(costs[:2], 3) == models("0.60", unknown=True)


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
    assert add_costs([]) == NO_MODELS
    assert add_costs([Decimal("0.1"), None, Decimal("0.2")]) == models("0.3", unknown=True)


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
        Closing(GRANT, None, Decimal(amount))


HELD = {"a": Committed("A", datetime(2026, 1, 1, tzinfo=UTC), Decimal("123456.78"))}
MORE: JsonObject = {"account": "A", "amount": "0.01"}


@pytest.mark.parametrize(
    "reckon",
    [
        lambda: ModuleOutput.success({}, cost=Decimal("123456.78")),
        lambda: in_cents(Decimal("123456.781")),
        lambda: add_costs([Decimal("1234.5678"), None, Decimal("0.0021")]),
        lambda: closing_of(GRANT, models("1234.56"), models("0.0021"), completed=True),
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
