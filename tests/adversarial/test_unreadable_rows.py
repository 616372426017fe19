"""Rows that no reader can hold, let in by a former release, stop nothing but themselves."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.repository import ArtifactFilter
from remit.base.progress import tell_nobody
from remit.db.engine import create_database_engine
from remit.directives.models import DirectiveRead, UnreadableDirective
from remit.directives.repository import DirectiveFilter
from remit.errors import ConflictError, UnreadableError
from remit.execution.ended_repository import EndedFilter
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence import records
from remit.operations.evidence import records as evaluations
from remit.operations.evidence.artifacts import read_artifacts
from remit.operations.evidence.auditing import take_checkpoint, verify_log
from remit.operations.evidence.bundles import export_bundle
from remit.operations.evidence.explanation import explain
from remit.operations.evidence.overview import ChainWatch, read_glance, read_overview, watch_chains
from remit.operations.evidence.upkeep import check_artifacts
from remit.operations.gate import retries
from remit.operations.identities import directory
from remit.operations.recall.memories import recent_memories
from remit.operations.runs.beginning import start_run
from remit.operations.runs.workers import read_modules
from remit.telemetry import rows
from tests.adversarial.poisons import ALLOWED, NOBODY, POISONS, REFUSED, TWO, poison
from tests.support.contents import (
    AUTHORITY,
    SHORT,
    cast,
    finish,
    policy,
    proposed,
    waiting,
    write,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, OPERATOR
from tests.support.unchecked import unchecked

NOW, LONG = timedelta(0), timedelta(days=1)
ALL = DirectiveFilter(limit=1000)


@dataclass(frozen=True)
class Poisoned:
    """A database that holds a row of each kind.

    Attributes:
        engine: the database.
        victims: the directive that each kind is about.
        good: a directive that was approved and not started.
        asks: one that waits for a person.
        done: one that is complete.
        before: a checkpoint of before any of them.
    """

    engine: sa.Engine
    victims: Mapping[str, UUID]
    good: DirectiveRead
    asks: DirectiveRead
    done: DirectiveRead
    before: bytes


@pytest.fixture(scope="module")
def poisoned(engine: sa.Engine) -> Poisoned:
    """Return a database whose owner took the checks away, with a row of each kind in it."""
    before = take_checkpoint(engine, KEYS, by=ADMIN).data
    victims = {name: poison(unchecked(engine), name) for name in POISONS}
    done = proposed(engine)
    run = start_run(engine, done.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    finish(engine, run, ModuleOutput.success({"said": "hello"}))
    return Poisoned(engine, victims, proposed(engine), waiting(engine), done, before)


def _listed(at: Poisoned) -> set[UUID]:
    return {one.id for one in records.read_directives(at.engine, ALL)}


def _swept(at: Poisoned) -> set[UUID]:
    found = records.find_leftovers(at.engine, idle=NOW, stalled=NOW, limit=100)
    return {one.id for one in (*found.approved, *found.executing, *found.unattended)}


def _ended(at: Poisoned) -> set[UUID]:
    found = evaluations.read_ended_runs(at.engine, EndedFilter())
    evaluations.find_ended_uncalled(at.engine, within=LONG, known=(), limit=100)
    return {one.directive_id for one in found}


def _topped(at: Poisoned) -> set[UUID]:
    read_glance(at.engine)
    found = read_overview(at.engine, LONG, listed=1000)
    approvals = {one.directive_id for one in found.approvals}
    return approvals | {one.directive_id for one in found.endings}


def _audited(at: Poisoned) -> set[UUID]:
    found = verify_log(at.engine, by=ADMIN, keys=KEYS).findings
    refused = {
        one.words.split(" holds what the check ")[1] for one in found if one.fault == "row_refused"
    }
    assert len(refused) >= len(REFUSED) - 4
    return {one.id for one in (at.good, at.asks, at.done)} - {one.directive_id for one in found}


def _recalled(at: Poisoned) -> set[UUID]:
    assert recent_memories(at.engine, by=ADMIN, keys=KEYS, scope=None, limit=100) == []
    return set()


def _people(at: Poisoned) -> set[UUID]:
    names = {one.principal.name for one in directory.read_principals(at.engine, by=ADMIN)}
    assert {"admin", "ada", "agent-1"} <= names
    directory.read_tokens(at.engine, by=ADMIN)
    return set()


def _modules(at: Poisoned) -> set[UUID]:
    assert "echo" in {one.name for one in read_modules(at.engine)}
    return set()


def _evidence(at: Poisoned, folder: Path) -> None:
    assert len(read_artifacts(at.engine, ArtifactFilter(limit=1000))) > 20
    store = FilesystemObjectStore(folder)
    assert check_artifacts(at.engine, store, tell_nobody).checked > 20


def _known(at: Poisoned) -> set[UUID]:
    for one in (at.good, at.asks, at.done):
        assert records.read_record(at.engine, one.id).broken_at is None
        assert explain(at.engine, one.id, AUTHORITY).directive == one or one is at.done
        export_bundle(at.engine, one.id, KEYS, by=ADMIN)
    return set()


def _watched(at: Poisoned) -> set[UUID]:
    watch = watch_chains(at.engine, ChainWatch(after=NOBODY))
    return {at.good.id, at.asks.id, at.done.id} - set(watch.broken)


READERS: Mapping[str, tuple[Callable[[Poisoned], set[UUID]], set[str]]] = {
    "list": (_listed, {"good", "asks", "done"}),
    "sweep": (_swept, {"good"}),
    "ended runs": (_ended, {"done"}),
    "top": (_topped, {"asks", "done"}),
    "audit": (_audited, {"good", "asks", "done"}),
    "memories": (_recalled, set()),
    "principals and tokens": (_people, set()),
    "modules": (_modules, set()),
    "show, explain and bundles of others": (_known, set()),
    "watch": (_watched, {"good", "asks", "done"}),
}
"""Each reading of many rows, and the directives that it must find among the others."""


@pytest.mark.parametrize("name", READERS)
def test_a_reading_of_many_rows_survives_those_that_it_cannot_read(
    poisoned: Poisoned, name: str
) -> None:
    read, wanted = READERS[name]
    assert {getattr(poisoned, one).id for one in wanted} <= read(poisoned)


@pytest.mark.parametrize("name", ["list", "sweep", "principals and tokens", "modules"])
def test_read_as_before_the_first_such_row_ends_the_reading(
    poisoned: Poisoned, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: loaders that raise, and rows that are built with no look at each."""
    monkeypatch.setattr("remit.db.engine._load_carefully", lambda *_: None)
    monkeypatch.setattr(rows, "_attempt", lambda row, build: (build(row), None))
    trusting = create_database_engine(poisoned.engine.url.render_as_string(hide_password=False))
    with pytest.raises((sa.exc.DataError, ValueError, TypeError, RecursionError)):
        READERS[name][0](replace(poisoned, engine=trusting))
    trusting.dispose()


def test_a_directive_that_cannot_be_read_is_listed_with_what_the_database_says_of_it(
    poisoned: Poisoned,
) -> None:
    found = {one.id: one for one in records.read_directives(poisoned.engine, ALL)}
    told = {
        name: (one.status, one.status_reason, one.column)
        for name, directive_id in poisoned.victims.items()
        if isinstance(one := found.get(directive_id), UnreadableDirective)
    }
    assert told == {
        "a number without end in a payload": ("approved", "unreadable", "payload"),
        "constraints of a depth without end": ("approved", "unreadable", "constraints"),
        "a moment without end": ("approved", "unreadable", "created_at"),
        "a moment before Christ": ("approved", "unreadable", "updated_at"),
        "a word that is no status": ("unheard-of", "unreadable", "status"),
        "a word that is no reason": ("approved", "unreadable", "status_reason"),
    }


def test_to_show_a_directive_that_cannot_be_read_is_one_clear_refusal(poisoned: Poisoned) -> None:
    victim = poisoned.victims["a number without end in a payload"]
    for read in (records.read_record, records.read_directive):
        with pytest.raises(UnreadableError) as caught:
            read(poisoned.engine, victim)
        [line] = str(caught.value).splitlines()
        assert line.startswith(f"the row {victim} of the table directives cannot be read: payload ")


def test_what_cannot_be_read_takes_no_other_s_place_in_a_sweep(poisoned: Poisoned) -> None:
    """There are more of them, and older ones, than one sweep takes up."""
    found = records.find_leftovers(poisoned.engine, idle=NOW, stalled=NOW, limit=2)
    assert len(found.approved) == 2
    assert {one.id for one in found.approved} & set(poisoned.victims.values()) <= {
        poisoned.victims[name] for name in POISONS if POISONS[name][0] != "directives"
    } | {
        poisoned.victims[name]
        for name in (*ALLOWED, "metrics of megabytes", "an objective of megabytes")
    }


def test_a_row_that_is_passed_over_is_counted_and_told_of_by_its_key_alone(
    poisoned: Poisoned, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr(rows, "count_unreadable_rows", lambda *told: counted.append(told))
    with caplog.at_level(logging.WARNING):
        directory.read_principals(poisoned.engine, by=ADMIN)
    assert counted == [("principals", 5)]
    [line] = caplog.messages
    assert line.startswith("table principals: ")
    assert line.endswith(" and 2 more cannot be read (a column, disabled_at, envelope and groups)")


def test_the_loop_goes_on_beside_them(poisoned: Poisoned) -> None:
    engine = poisoned.engine
    assert start_run(engine, proposed(engine).id, lambda _: SHORT, AUTHORITY).run is not None
    assert cast(engine, waiting(engine)).outcome == "approved"
    outdated, more = retries.voided(engine, AUTHORITY, by=OPERATOR, limit=100)
    assert not more
    assert set(outdated) <= set(poisoned.victims.values())


@pytest.mark.parametrize(
    ("which", "said"),
    [("first", "do not hold, and a first"), ("next", "does not hold against the previous")],
)
def test_a_checkpoint_of_them_is_one_clear_refusal(
    poisoned: Poisoned, which: str, said: str
) -> None:
    previous = poisoned.before if which == "next" else None
    with pytest.raises(ConflictError, match=said) as caught:
        take_checkpoint(poisoned.engine, KEYS, by=ADMIN, previous=previous)
    [line] = str(caught.value).splitlines()
    assert "look into it with `remit audit verify" in line


@pytest.mark.parametrize(
    "name", ["voters that are numbers without end", "a budget that is no number"]
)
def test_a_grant_that_cannot_be_read_is_no_grant(poisoned: Poisoned, name: str) -> None:
    state = start_run(poisoned.engine, poisoned.victims[name], lambda _: SHORT, AUTHORITY)
    assert (state.run, state.directive.status) == (None, "blocked")
    assert state.directive.status_reason == "approval_unverifiable"


def test_what_hangs_on_a_row_that_cannot_be_read_waits(poisoned: Poisoned) -> None:
    """It is not aborted: its module may have been called, and its votes may say no."""
    of_run = poisoned.victims["a result that is a number without end"]
    with pytest.raises(UnreadableError, match="table execution_runs"):
        start_run(poisoned.engine, of_run, lambda _: SHORT, AUTHORITY)
    assert records.read_directive(poisoned.engine, of_run).status == "executing"
    of_vote = records.read_directive(
        poisoned.engine, poisoned.victims["a signature of a vote that is too deep"]
    )
    with pytest.raises(UnreadableError, match="table approval_votes"):
        cast(poisoned.engine, of_vote, policy=TWO, by=ADA)
    assert records.read_directive(poisoned.engine, of_vote.id).status == "proposed"


def test_a_sum_that_is_no_number_refuses_in_words_what_it_limits(poisoned: Poisoned) -> None:
    limits = [{"name": "nan", "ceiling": "9.00", "period": "month"}]
    account = proposed(poisoned.engine, policy(budget_limits=limits), budget="$1.00")
    assert account.status == "approved"
    forged = "UPDATE budget_accounts SET settled = 'NaN' WHERE account LIKE '%nan%'"
    write(poisoned.engine, forged)
    with pytest.raises(UnreadableError, match="table budget_accounts"):
        proposed(poisoned.engine, policy(budget_limits=limits), budget="$1.00")
