"""The sweep tells of every run that ended although no module returned."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from remit.execution.models import EndedRun
from remit.operations.evidence.records import read_ended_run
from remit.workflows.activities import dispatch_activities as uncalled
from remit.workflows.activities.calls import unobserved
from remit.workflows.activities.dispatch_activities import UncalledRuns
from tests.integration.operations.lives import canceled_run, exhausted, ran
from tests.support.contents import proposed, write


def ended(engine: sa.Engine, count: int = 1) -> list[EndedRun]:
    """Cancel so many runs."""
    return [read_ended_run(engine, canceled_run(engine).id) for _ in range(count)]


def age(engine: sa.Engine, run: EndedRun, by: timedelta) -> None:
    statement = "UPDATE directives SET updated_at = now() - :by WHERE id = :id"
    write(engine, statement, by=by, id=run.directive_id)


def test_each_is_told_once_however_often_it_is_looked_for(empty_engine: sa.Engine) -> None:
    told: list[EndedRun] = []
    runs = UncalledRuns(empty_engine, told.append)
    ran(empty_engine, proposed(empty_engine))
    expected = ended(empty_engine)
    for _ in range(3):
        runs.tell()
        assert told == expected
    exhausted(empty_engine)  # has not ended: nobody knows how
    expected += ended(empty_engine, 3)
    for _ in range(3):
        runs.tell()
        assert told == expected


@pytest.mark.parametrize(
    ("minutes", "is_told"), [(50, True), (70, False)], ids=["within the hour", "long ago"]
)
def test_what_ended_before_the_worker_began_is_told_if_it_is_no_older_than_an_hour(
    empty_engine: sa.Engine, minutes: int, *, is_told: bool
) -> None:
    told: list[EndedRun] = []
    [found] = ended(empty_engine)
    age(empty_engine, found, timedelta(minutes=minutes))
    UncalledRuns(empty_engine, told.append).tell()
    assert told == ([found] if is_told else [])


def test_what_commits_after_a_look_and_began_before_it_is_told_by_the_next(
    empty_engine: sa.Engine,
) -> None:
    told: list[EndedRun] = []
    runs = UncalledRuns(empty_engine, told.append)
    runs.tell()
    [found, older] = ended(empty_engine, 2)
    age(empty_engine, found, timedelta(seconds=uncalled.OVERLAP_SECONDS / 2))
    age(empty_engine, older, timedelta(seconds=uncalled.OVERLAP_SECONDS * 2))
    runs.tell()
    assert told == [found]


def test_more_than_one_look_takes_are_told_by_the_next_ones(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uncalled, "UNCALLED_BATCH", 2)
    told: list[EndedRun] = []
    runs, expected = UncalledRuns(empty_engine, told.append), ended(empty_engine, 5)
    for expected_now in (expected[:2], expected[:4], expected, expected):
        runs.tell()
        assert told == expected_now


def test_what_is_told_is_forgotten_when_no_look_can_find_it_again(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [10_000.0]
    monkeypatch.setattr(uncalled, "monotonic", lambda: clock[0])
    runs = UncalledRuns(empty_engine, lambda _: None)
    made = ended(empty_engine, 2)
    runs.tell()
    assert runs._told.keys() == {each.run_id for each in made}
    for looks in (1, 2):
        passed = uncalled.OVERLAP_SECONDS + 1
        clock[0] += passed
        for each in made:
            age(empty_engine, each, timedelta(seconds=passed * looks))
        runs.tell()
    assert runs._told == {}


def test_an_observer_that_raises_is_not_told_twice_and_keeps_nobody_else_waiting(
    empty_engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[EndedRun] = []

    def refuse(run: EndedRun) -> None:
        told.append(run)
        raise RuntimeError("not to my taste")

    runs, expected = UncalledRuns(empty_engine, refuse), ended(empty_engine, 2)
    for _ in range(3):
        runs.tell()
    assert told == expected
    assert [each.getMessage() for each in caplog.records] == ["ended_runs_not_told"] * 2


def test_while_one_look_is_under_way_there_is_no_other(empty_engine: sa.Engine) -> None:
    told: list[EndedRun] = []

    def look_again(run: EndedRun) -> None:
        told.append(run)
        runs.tell()

    runs, expected = UncalledRuns(empty_engine, look_again), ended(empty_engine, 2)
    runs.tell()
    assert told == expected


def test_a_database_that_is_away_is_logged_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    UncalledRuns(away, lambda _: None).tell()
    assert [each.getMessage() for each in caplog.records] == ["ended_runs_not_told"]


def test_when_nobody_observes_nothing_is_asked_of_the_database(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    UncalledRuns(away, unobserved).tell()
    assert caplog.records == []
