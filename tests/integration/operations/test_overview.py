"""The overview tells what the database holds, now and lately, and costs no more than it should."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remit.audit import overview_repository
from remit.db.session import snapshot
from remit.directives.models import DirectiveRead
from remit.errors import UnavailableError
from remit.operations.evidence.overview import (
    GAUGES,
    Overview,
    Sample,
    read_glance,
    read_overview,
    samples_of,
)
from tests.integration.operations.lives import LIVES
from tests.support.contents import asking, cast, no, proposed, waiting, write
from tests.support.people import ADA, GRACE

HOUR = timedelta(hours=1)


@pytest.fixture
def lived(empty_engine: sa.Engine) -> sa.Engine:
    """Return a database of this one test where a directive lived each of these lives."""
    for name in ("draft", "waiting", "rejected", "approved", "running", "complete", "failed"):
        LIVES[name](empty_engine)
    LIVES["blocked"](empty_engine)
    LIVES["agreed by two"](empty_engine)
    return empty_engine


def tallies(overview: Overview, kind: str) -> dict[str, int]:
    """Return the counts of one kind of tally."""
    return {one.word: one.count for one in overview.recent if one.kind == kind}


def values(engine: sa.Engine, broken: int = 0) -> dict[tuple[str, str], float]:
    """Return what each gauge would show now."""
    samples = samples_of(read_glance(engine), broken)
    return {(one.name, "".join(one.labels.values())): one.value for one in samples}


def age(engine: sa.Engine, directive: DirectiveRead, seconds: int) -> None:
    """Let a directive have its status for so long."""
    write(
        engine,
        "UPDATE directives SET updated_at = now() - make_interval(secs => :seconds) WHERE id = :id",
        seconds=seconds,
        id=directive.id,
    )


def test_every_status_is_counted_in_the_order_of_the_lifecycle(lived: sa.Engine) -> None:
    overview = read_overview(lived, HOUR)
    assert [(one.status, one.count) for one in overview.statuses] == [
        *(("draft", 1), ("proposed", 1), ("approved", 1), ("executing", 1), ("complete", 2)),
        *(("blocked", 2), ("aborted", 1)),
    ]
    assert all(one.oldest_seconds is not None for one in overview.statuses)
    assert overview.window_seconds == 3600


def test_what_became_of_directives_lately_is_tallied(lived: sa.Engine) -> None:
    overview = read_overview(lived, HOUR)
    assert tallies(overview, "status")["complete"] == 2
    assert tallies(overview, "failure") == {"module_failed": 1, "policy": 1, "rejected": 1}
    assert tallies(overview, "duration") == {"echo": 3}
    assert tallies(overview, "queue_lag") == {"": 4}
    assert tallies(overview, "approval_wait") == {"": 2}
    timed = [one for one in overview.recent if one.kind not in {"status", "failure"}]
    for one in timed:
        assert one.median_seconds is not None
        assert one.p95_seconds is not None
        assert 0 <= one.median_seconds <= one.p95_seconds


def test_the_verdicts_come_first_and_then_the_policies_that_did_not_allow(
    lived: sa.Engine,
) -> None:
    said = [(one.policy, one.verdict, one.count) for one in read_overview(lived, HOUR).verdicts]
    assert said[:3] == [("", "allow", 4), ("", "require_approval", 3), ("", "block", 1)]
    assert ("tool_allowlist", "block", 1) in said
    assert ("budget_ceiling", "block", 1) in said


def test_a_waiting_approval_tells_the_latest_votes_and_the_time_left(
    empty_engine: sa.Engine,
) -> None:
    late, soon = waiting(empty_engine, objective="late"), waiting(empty_engine)
    write(
        empty_engine,
        "UPDATE approval_requests SET expires_at = now() + interval '9 minutes' "
        "WHERE directive_id = :id",
        id=soon.id,
    )
    [first, second] = read_overview(empty_engine, HOUR).approvals
    assert (first.directive_id, second.directive_id) == (soon.id, late.id)
    assert 530 < first.left_seconds <= 540
    assert (first.type, first.scope, first.issued_by) == ("echo", "staging", "agent-1")
    assert (first.approvals, first.required_approvals) == (0, 1)


def test_a_changed_mind_counts_once(empty_engine: sa.Engine) -> None:
    terms = asking(required_approvals=3, rejection_ends=False)
    found = waiting(empty_engine, terms)
    cast(empty_engine, found, None, terms, by=ADA)
    cast(empty_engine, found, None, terms, by=GRACE)
    cast(empty_engine, found, no(found), terms, by=GRACE)
    [pending] = read_overview(empty_engine, HOUR).approvals
    assert (pending.approvals, pending.required_approvals) == (1, 3)


def test_what_executes_is_told_with_its_attempts_and_its_age(lived: sa.Engine) -> None:
    [running] = read_overview(lived, HOUR).running
    assert (running.type, running.scope, running.attempts) == ("echo", "test", 1)
    assert running.age_seconds >= 0


def test_the_latest_endings_come_first_and_are_no_more_than_asked_for(lived: sa.Engine) -> None:
    endings = read_overview(lived, HOUR).endings
    assert [one.ended_at for one in endings] == sorted(
        (one.ended_at for one in endings), reverse=True
    )
    assert {(one.status, one.status_reason) for one in endings} == {
        *(("complete", None), ("aborted", "module_failed")),
        *(("blocked", "policy"), ("blocked", "rejected")),
    }
    assert [one.directive_id for one in read_overview(lived, HOUR, listed=2).endings] == [
        one.directive_id for one in endings[:2]
    ]


def test_reads_of_memory_are_tallied_by_question_and_outcome(empty_engine: sa.Engine) -> None:
    for query, outcome, count, minutes in (
        *(("recent_memories", "answered", 2, 1), ("recent_memories", "answered", 0, 5)),
        *(("similar_memories", "refused", None, 1), ("recent_memories", "answered", 1, 90)),
    ):
        write(
            empty_engine,
            "INSERT INTO memory_reads "
            "(principal, reader, query, asked, outcome, result_count, created_at) VALUES "
            "('planner', 'postgres', :query, '{}', :outcome, :count, "
            "now() - make_interval(mins => :minutes))",
            query=query,
            outcome=outcome,
            count=count,
            minutes=minutes,
        )
    reads = read_overview(empty_engine, HOUR).memory_reads
    assert [(one.query, one.outcome, one.count) for one in reads] == [
        ("recent_memories", "answered", 2),
        ("similar_memories", "refused", 1),
    ]


def test_what_lies_before_the_window_is_not_tallied(lived: sa.Engine) -> None:
    write(lived, "UPDATE directives SET updated_at = now() - interval '2 hours'")
    write(lived, "UPDATE artifacts SET created_at = now() - interval '2 hours'")
    overview = read_overview(lived, HOUR)
    assert (overview.recent, overview.verdicts) == ((), ())
    assert [one.count for one in overview.statuses] == [1, 1, 1, 1, 2, 2, 1]


def test_an_empty_database_has_an_overview_too(empty_engine: sa.Engine) -> None:
    overview = read_overview(empty_engine, HOUR)
    assert {(one.count, one.oldest_seconds) for one in overview.statuses} == {(0, None)}
    assert (overview.recent, overview.verdicts, overview.memory_reads) == ((), (), ())
    assert (overview.approvals, overview.running, overview.endings) == ((), (), ())


def test_counting_ends_somewhere(lived: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview_repository, "MOST_COUNTED", 1)
    monkeypatch.setattr(overview_repository, "MOST_RECENT", 1)
    monkeypatch.setattr(overview_repository, "MOST_WORDS", 1)
    overview = read_overview(lived, HOUR)
    assert {one.count for one in overview.statuses} == {1}
    assert {one.count for one in overview.recent if one.kind == "status"} == {1}
    assert len(overview.verdicts) == 1


def test_every_gauge_is_given_every_time(empty_engine: sa.Engine) -> None:
    found = values(empty_engine, broken=2)
    assert {name for name, _ in found} == set(GAUGES)
    assert found["audit_chain_broken", ""] == 2
    for status in ("proposed", "approved", "executing"):
        assert found["directives_waiting", status] == 0
        assert found["oldest_waiting_seconds", status] == 0


def test_the_gauges_tell_how_long_the_first_one_waits(lived: sa.Engine) -> None:
    age(lived, proposed(lived), 500)
    found = values(lived)
    assert found["directives_waiting", "approved"] == 2
    assert 500 <= found["oldest_waiting_seconds", "approved"] < 560


def test_a_directive_that_nobody_was_asked_about_is_unattended_after_a_while(
    lived: sa.Engine,
) -> None:
    found = waiting(lived)
    write(lived, "DELETE FROM approval_requests WHERE directive_id = :id", id=found.id)
    assert values(lived)["directives_unattended", ""] == 0
    age(lived, found, 60)
    assert values(lived)["directives_unattended", ""] == 1


@pytest.mark.parametrize(
    ("asked", "expires", "soon"),
    [
        ("1 minute", "23 hours", 0),
        ("23 hours", "59 minutes", 1),
        ("23 hours", "61 minutes", 0),
        ("2 minutes", "3 minutes", 0),
        ("4 minutes", "1 minute", 1),
        ("1 day", "-1 minute", 1),
    ],
)
def test_an_approval_expires_soon_in_its_last_hour_or_its_last_quarter(
    empty_engine: sa.Engine, asked: str, expires: str, soon: int
) -> None:
    waiting(empty_engine)
    write(
        empty_engine,
        "UPDATE approval_requests SET requested_at = now() - CAST(:asked AS interval), "
        "expires_at = now() + CAST(:expires AS interval)",
        asked=asked,
        expires=expires,
    )
    assert values(empty_engine)["approvals_expiring_soon", ""] == soon


def test_a_directive_that_is_younger_than_now_waits_for_no_time(empty_engine: sa.Engine) -> None:
    # Its time is that of the transaction that wrote it, which may have begun after this one.
    age(empty_engine, waiting(empty_engine), -3600)
    assert values(empty_engine)["oldest_waiting_seconds", "proposed"] == 0


@pytest.mark.parametrize("read", [read_glance, lambda engine: read_overview(engine, HOUR)])
def test_a_reading_that_takes_too_long_fails_and_leaves_nothing_behind(
    lived: sa.Engine, read: Callable[[sa.Engine], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        overview_repository, "_STATUSES", sa.text("SELECT pg_sleep(30), :words, :most")
    )
    monkeypatch.setattr(
        "remit.operations.evidence.overview.LONGEST_STATEMENT", timedelta(milliseconds=50)
    )
    with pytest.raises(UnavailableError, match="statement timeout"):
        read(lived)
    with lived.connect() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar_one() == "0"


def test_a_reading_can_write_nothing(lived: sa.Engine) -> None:
    with pytest.raises(sa.exc.InternalError, match="read-only"), snapshot(lived) as connection:
        connection.execute(sa.text("UPDATE principals SET disabled_at = now()"))


def test_a_sample_has_no_labels_unless_it_is_given_some() -> None:
    assert Sample("audit_chain_broken", 0).labels == {}
