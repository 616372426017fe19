"""A grant is worth what its signature covers: rows that somebody else wrote start nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from remit.approval.types import Grant
from remit.directives.models import DirectiveRead
from remit.execution.modules.registry import ModuleInfo
from remit.operations.evidence.records import read_record
from remit.operations.gate.authority import Authority
from remit.operations.runs.beginning import start_run
from tests.integration.operations.forging import (
    FORGERIES,
    OTHER_KEYS,
    Forge,
    approved,
    forged_for,
    grant_of,
    plant,
)
from tests.support.contents import AUTHORITY, LONG, POLICY, SHORT, proposed, waiting, write
from tests.support.keys import KEYS, WORKER


def start(
    engine: sa.Engine, found: DirectiveRead, authority: Authority = AUTHORITY
) -> tuple[str, str | None]:
    """Try to start a directive and return where that left it."""
    state = start_run(engine, found.id, lambda _: SHORT, authority)
    assert (state.run is None) == (state.directive.status != "executing")
    assert read_record(engine, found.id).run == state.run
    return state.directive.status, state.directive.status_reason


VOID = ("blocked", "approval_unverifiable")

# Each would let something run that nobody allowed, or hide who allowed it.
CHANGES = {
    "id": "gen_random_uuid()",
    "request_id": "NULL",
    "action_digest": "'sha256:other'",
    "policy_version": "'2'",
    "policy_digest": "'sha256:other'",
    "module": "'noop'",
    "module_version": "'2'",
    "module_digest": "'sha256:other'",
    "required_approvals": "0",
    "votes": """'["grace"]'""",
    "budget": "1000000",
    "issued_at": "issued_at + interval '1 microsecond'",
    "expires_at": "expires_at + interval '1 year'",
    "heard": "'{}'",
    "envelope": "NULL",
}


def test_every_column_of_a_grant_that_can_be_changed_is_tried() -> None:
    kept = {"directive_id", "voided_at", "void_reason"}
    assert CHANGES.keys() == set(Grant.__slots__) - kept


@pytest.mark.parametrize("column", CHANGES)
def test_a_grant_whose_row_was_changed_starts_nothing(engine: sa.Engine, column: str) -> None:
    found = approved(engine)
    statement = f"UPDATE grants SET {column} = {CHANGES[column]} WHERE directive_id = :id"  # noqa: S608 - stands above
    write(engine, statement, id=found.id)
    assert start(engine, found) == VOID
    record = read_record(engine, found.id)
    assert record.grant is not None
    assert record.grant.void_reason == "approval_unverifiable"
    assert record.broken_at is None


def test_a_grant_that_was_given_to_another_directive_starts_nothing(engine: sa.Engine) -> None:
    # The same content, so that all but the directive's identifier fits.
    giver, taker = proposed(engine), proposed(engine)
    write(engine, "DELETE FROM grants WHERE directive_id = :id", id=taker.id)
    move = "UPDATE grants SET directive_id = :taker WHERE directive_id = :giver"
    write(engine, move, taker=taker.id, giver=giver.id)
    assert start(engine, taker) == VOID


@pytest.mark.parametrize(
    "statement",
    [
        """envelope = jsonb_set(envelope, '{payload}', '"e30="')""",
        """envelope = jsonb_set(envelope, '{signatures}', '[]')""",
        """envelope = jsonb_set(envelope, '{signatures,0,keyid}', '""')""",
        """envelope = jsonb_set(envelope, '{signatures,0,keyid}', '"ed25519:other"')""",
        """envelope = jsonb_set(envelope, '{signatures,0,sig}', '""')""",
        """envelope = envelope || '{"more": 1}'""",
        "envelope = '{}'",
    ],
)
def test_a_grant_whose_envelope_was_changed_starts_nothing(
    engine: sa.Engine, statement: str
) -> None:
    found = approved(engine)
    write(engine, f"UPDATE grants SET {statement} WHERE directive_id = :id", id=found.id)  # noqa: S608 - stands above
    assert start(engine, found) == VOID


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_grant_and_a_forged_status_start_nothing(engine: sa.Engine, forge: Forge) -> None:
    found = waiting(engine)
    plant(engine, forge(forged_for(found, engine)))
    write(engine, "UPDATE directives SET status = 'approved' WHERE id = :id", id=found.id)
    assert start(engine, found) == VOID


def test_a_grant_starts_nothing_once_its_key_is_no_longer_trusted(engine: sa.Engine) -> None:
    found = approved(engine)
    assert start(engine, found, Authority(POLICY, OTHER_KEYS)) == VOID


def test_a_grant_of_an_older_key_that_is_still_trusted_starts_its_run(engine: sa.Engine) -> None:
    found = approved(engine)
    rotated = replace(OTHER_KEYS, trusted={**OTHER_KEYS.trusted, **KEYS.trusted})
    assert start(engine, found, Authority(POLICY, rotated, WORKER)) == ("executing", None)


@pytest.mark.parametrize(
    "choice",
    [
        replace(SHORT, version="2"),
        None,
        replace(LONG),
    ],
)
@pytest.mark.parametrize("make", [approved, proposed])
def test_a_module_that_changed_under_its_name_voids_the_grant(
    engine: sa.Engine, make: Callable[[sa.Engine], DirectiveRead], choice: ModuleInfo | None
) -> None:
    found = make(engine)
    state = start_run(engine, found.id, lambda _: choice, AUTHORITY)
    assert (state.run, state.directive.status_reason) == (None, "action_changed")
    assert grant_of(engine, found).void_reason == "action_changed"
