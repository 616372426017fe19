"""The database's owner edits what happened, and has it exported: the signed bundle shows it.

What the owner can compute, digests and the hashes of the log, fits again. `tests/unit/audit` makes
the same edits, and many more, without a database.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle
from remit.audit.chain import Event
from remit.audit.repository import list_events
from remit.db.engine import create_database_engine
from remit.db.session import snapshot
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.operations.evidence.auditing import take_checkpoint
from remit.operations.evidence.bundles import export_bundle
from remit.operations.gate import proposals
from tests.integration.operations.lives import Life, agreed, limited, ran
from tests.support.contents import AUTHORITY, cast, no, waiting, write
from tests.support.keys import KEYS
from tests.support.people import ADA, AGENT
from tests.unit.audit.chains import linked


@pytest.fixture
def own_engine(own_database_url: str) -> Iterator[sa.Engine]:
    """Return a database of this one test."""
    engine = create_database_engine(own_database_url)
    yield engine
    engine.dispose()


AUDITOR = Principal("audrey", "human", roles=("auditor",))
Owner = Callable[[sa.Engine, DirectiveRead], None]


def failing(engine: sa.Engine, found: DirectiveRead, checkpoint: bytes | None = None) -> set[str]:
    """Return the checks that fail for what is exported now."""
    data = export_bundle(engine, found.id, KEYS, by=AUDITOR, checkpoint=checkpoint)
    return {one.name for one in check_bundle(read_bundle(data, KEYS), KEYS) if not one.holds}


def rejected_then_approved(engine: sa.Engine) -> DirectiveRead:
    """A person rejects it; it is retried, approved by another one, and carried out."""
    found = waiting(engine)
    cast(engine, found, no(found))
    proposals.submit(engine, found.id, AUTHORITY, by=AGENT)
    cast(engine, found, by=ADA)
    return ran(engine, found)


def retold(
    engine: sa.Engine, found: DirectiveRead, change: Callable[[list[Event]], Iterable[Event]]
) -> None:
    """Write another log in the place of the one there is, with hashes that fit."""
    with snapshot(engine) as connection:
        chain = linked(change(list_events(connection, found.id)))
    write(engine, "DELETE FROM events WHERE directive_id = :id", id=found.id)
    for one in chain:
        write(
            engine,
            "INSERT INTO events (directive_id, seq, type, actor, data, occurred_at, prev_hash, "
            "hash) VALUES (:id, :seq, :type, :actor, CAST(:data AS jsonb), :at, :prev, :hash)",
            id=found.id,
            seq=one.seq,
            type=one.type,
            actor=one.actor,
            data=one.data,
            at=one.occurred_at,
            prev=one.prev_hash,
            hash=one.hash,
        )


def rejection_gone(engine: sa.Engine, found: DirectiveRead) -> None:
    write(
        engine,
        "DELETE FROM approval_votes WHERE request_id = (SELECT id FROM approval_requests "
        "WHERE directive_id = :id ORDER BY requested_at LIMIT 1)",
        id=found.id,
    )
    write(
        engine,
        "DELETE FROM approval_requests WHERE id = (SELECT id FROM approval_requests "
        "WHERE directive_id = :id ORDER BY requested_at LIMIT 1)",
        id=found.id,
    )
    write(
        engine,
        "DELETE FROM artifacts WHERE id = (SELECT id FROM artifacts WHERE directive_id = :id "
        "ORDER BY created_at LIMIT 1)",
        id=found.id,
    )

    def change(chain: list[Event]) -> list[Event]:
        retried = next(at for at, one in enumerate(chain) if one.type == "directive.retried")
        return [chain[0], *chain[retried + 1 :]]

    retold(engine, found, change)


def another_error(engine: sa.Engine, found: DirectiveRead) -> None:
    write(
        engine,
        "UPDATE execution_runs SET error_message = 'no ink', result = jsonb_set(result, "
        "'{error,message}', '\"no ink\"') WHERE directive_id = :id",
        id=found.id,
    )


def proposed_by_another(engine: sa.Engine, found: DirectiveRead) -> None:
    retold(engine, found, lambda chain: [replace(chain[0], actor="mallory"), *chain[1:]])


def unknown_event(engine: sa.Engine, found: DirectiveRead) -> None:
    retold(engine, found, lambda chain: [*chain, replace(chain[-1], type="note", data="{}")])


def token_of_another(engine: sa.Engine, found: DirectiveRead) -> None:
    write(
        engine,
        "UPDATE api_tokens SET created_by = 'grace' WHERE id IN (SELECT token_id FROM "
        "approval_votes JOIN approval_requests AS asked ON asked.id = request_id "
        "WHERE asked.directive_id = :id AND voter = 'ada')",
        id=found.id,
    )


def run_at_another_time(engine: sa.Engine, found: DirectiveRead) -> None:
    write(
        engine,
        "UPDATE execution_runs SET started_at = started_at - interval '1 minute' "
        "WHERE directive_id = :id",
        id=found.id,
    )


def settled_by_row(engine: sa.Engine, found: DirectiveRead) -> None:
    write(
        engine,
        "UPDATE approval_requests SET status = 'rejected' WHERE directive_id = :id",
        id=found.id,
    )


EDITS: dict[str, tuple[Life, Owner, set[str]]] = {
    "earlier rejection cut out": (rejected_then_approved, rejection_gone, {"answers"}),
    "error text": (
        limited(ModuleOutput.failure("no paper")),
        another_error,
        {"attempts", "runs"},
    ),
    "proposer in the log": (agreed, proposed_by_another, {"issuer"}),
    "event of an unknown type": (agreed, unknown_event, {"events", "order"}),
    "who made a token": (agreed, token_of_another, {"voters"}),
    "beginning of a run": (agreed, run_at_another_time, {"attempts"}),
    "status of a request": (agreed, settled_by_row, {"answers"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_the_owner_edits_shows_in_the_signed_bundle(own_engine: sa.Engine, name: str) -> None:
    live, edit, expected = EDITS[name]
    found = live(own_engine)
    assert failing(own_engine, found) == set()
    edit(own_engine, found)
    assert failing(own_engine, found) == expected


def test_a_log_that_was_cut_off_shows_against_a_checkpoint_alone(own_engine: sa.Engine) -> None:
    found = limited(None)(own_engine)
    taken = take_checkpoint(own_engine, KEYS, by=AUDITOR).data
    assert failing(own_engine, found, taken) == set()
    retold(own_engine, found, lambda chain: [*chain[:-1], replace(chain[-1], actor="remit2")])
    assert "checkpoint" in failing(own_engine, found, taken)


def test_a_first_checkpoint_is_not_taken_of_what_does_not_hold(own_engine: sa.Engine) -> None:
    found = agreed(own_engine)
    first = take_checkpoint(own_engine, KEYS, by=AUDITOR).data
    proposed_by_another(own_engine, found)
    for previous in (None, first):
        with pytest.raises(ConflictError, match=r"do not hold|does not hold"):
            take_checkpoint(own_engine, KEYS, by=AUDITOR, previous=previous)


def test_a_checkpoint_that_has_no_row_of_a_directive_gives_no_proof(own_engine: sa.Engine) -> None:
    taken = take_checkpoint(own_engine, KEYS, by=AUDITOR).data
    found = agreed(own_engine)
    with pytest.raises(ConflictError, match="has no row of directive"):
        export_bundle(own_engine, found.id, KEYS, by=AUDITOR, checkpoint=taken)
    assert json.loads(taken)["heads"]
