"""The order of a session, and what becomes of a failure in it."""

import pytest

from bench.__main__ import main
from bench.measurement import IN_FLIGHT, LOADS
from bench.session import FULL, QUICK, Plan, first_failure
from remit.errors import UnavailableError


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_each_round_measures_every_load_once_at_each_number_in_flight(plan: Plan) -> None:
    found = [(task.round, task.in_flight, task.load) for task in plan.tasks()]
    wanted = {(r, i, load) for r in range(plan.rounds) for i in IN_FLIGHT for load in LOADS}
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_every_other_round_runs_in_the_opposite_order() -> None:
    plan = Plan(rounds=3, alone=1, many=1, starts=0, vectors=(), observed=0)
    orders = [
        [task.load for task in plan.tasks() if (task.round, task.in_flight) == (number, 1)]
        for number in range(3)
    ]
    assert orders == [list(LOADS), list(LOADS)[::-1], list(LOADS)]


@pytest.mark.parametrize(
    ("vectors", "observed", "steps"), [((), 0, 10), ((5,), 0, 16), ((5, 6), 0, 21), ((), 3, 13)]
)
def test_every_step_of_a_plan_is_counted(
    vectors: tuple[int, ...], observed: int, steps: int
) -> None:
    plan = Plan(rounds=1, alone=1, many=1, starts=0, vectors=vectors, observed=observed)
    assert plan.steps == steps


def test_of_many_failures_the_first_is_told_by_itself() -> None:
    failures = [UnavailableError("first"), UnavailableError("second")]
    with pytest.raises(UnavailableError, match="first"), first_failure():
        raise ExceptionGroup("units", failures)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "0"], "a whole number of at least 1"),
        (["--json", "/no/such/folder/figures.json"], "its folder does not exist"),
    ],
)
def test_an_option_that_cannot_work_is_refused_before_anything_starts(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err
