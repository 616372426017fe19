"""What the loop leaves behind holds as a bundle; what was tampered with is exported, too."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle
from remit.audit.bundle.types import SignedBundle
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, ForbiddenError, NotFoundError
from remit.identity.types import Principal
from remit.operations.evidence.bundles import export_bundle
from remit.operations.gate import proposals
from tests.integration.operations.lives import LIVES, Life, agreed, blocked, rejected
from tests.support.contents import AUTHORITY, proposed, regrant, waiting, write
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE, OPERATOR
from tests.support.unchecked import unchecked


@pytest.fixture(autouse=True, scope="module")
def _forgers_take_checks_away(engine: sa.Engine) -> None:
    unchecked(engine)


AUDITOR = Principal("audrey", "human", roles=("auditor",))


def exported(engine: sa.Engine, directive_id: UUID) -> SignedBundle:
    """Export a bundle and read it."""
    return read_bundle(export_bundle(engine, directive_id, KEYS, by=AUDITOR), KEYS)


def failing(engine: sa.Engine, directive: DirectiveRead) -> dict[str, str]:
    """Return the checks that fail, with what they say."""
    checks = check_bundle(exported(engine, directive.id), KEYS)
    return {one.name: one.detail for one in checks if not one.holds}


HASTENED = {"asked again": {"answers"}}
"""Lives that a test made shorter by hand, which shows."""


@pytest.mark.parametrize("name", LIVES)
def test_what_the_loop_leaves_behind_holds(engine: sa.Engine, name: str) -> None:
    assert set(failing(engine, LIVES[name](engine))) == HASTENED.get(name, set())


def test_a_bundle_says_when_and_for_whom_it_was_made(engine: sa.Engine) -> None:
    found = agreed(engine)
    evidence = exported(engine, found.id).bundle
    with engine.connect() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()
    assert now - timedelta(minutes=1) < evidence.exported_at <= now
    assert evidence.exported_by == "audrey"
    assert [len(asked.votes) for asked in evidence.requests] == [3]
    assert [one.kind for one in evidence.budget] == ["reserve", "reserve", "settle", "settle"]
    assert [one.status for one in evidence.runs] == ["completed"]
    assert evidence.events[-1].type == "directive.completed"


Forge = Callable[[sa.Engine, DirectiveRead], None]


def sql(statement: str) -> Forge:
    """Return what executes a statement past the triggers of its table."""

    def forge(engine: sa.Engine, found: DirectiveRead) -> None:
        write(engine, statement, id=found.id)

    return forge


def forged_run(engine: sa.Engine, found: DirectiveRead) -> None:
    """Set a directive to executing, with a run that no grant lets be."""
    write(
        engine,
        "INSERT INTO grants (id, directive_id, action_digest, policy_version, policy_digest, "
        "module, votes, expires_at) SELECT :grant, id, action_digest, '1', 'sha256:x', type, "
        "'[]', now() + interval '1 hour' FROM directives WHERE id = :id",
        id=found.id,
        grant=(grant := uuid4()),
    )
    write(
        engine,
        "INSERT INTO execution_runs (id, directive_id, grant_id, module, module_version, status, "
        "idempotency_key) SELECT gen_random_uuid(), id, :grant, type, '1', 'running', :key "
        "FROM directives WHERE id = :id",
        id=found.id,
        grant=grant,
        key=str(grant),
    )
    write(engine, "UPDATE directives SET status = 'executing' WHERE id = :id", id=found.id)


def regranted(engine: sa.Engine, found: DirectiveRead) -> None:
    """Sign a grant anew as one that needs fewer people."""
    regrant(engine, found.id, required_approvals=1)


FORGED_RUN = {"status", "grants", "no run without a grant", "runs", "attempts"}

FORGERIES: dict[str, tuple[Life, Forge, set[str]]] = {
    "content": (
        blocked,
        sql("UPDATE directives SET objective = 'Other.' WHERE id = :id"),
        {"action digest", "decisions"},
    ),
    "content that has no canonical form": (
        blocked,
        sql("UPDATE directives SET payload = '{\"n\": 1e300}' WHERE id = :id"),
        {"action digest", "decisions"},
    ),
    "status": (
        blocked,
        sql("UPDATE directives SET status_reason = 'canceled' WHERE id = :id"),
        {"status"},
    ),
    "event": (
        waiting,
        sql("UPDATE events SET actor = 'mallory' WHERE directive_id = :id AND seq = 1"),
        {"log", "issuer"},
    ),
    "end of the log": (
        agreed,
        sql("DELETE FROM events WHERE directive_id = :id AND type = 'directive.completed'"),
        {"status", "order", "times", "named evidence"},
    ),
    "artifact": (
        agreed,
        sql(
            'UPDATE artifacts SET metadata = metadata || \'{"reason": "x"}\' '
            "WHERE directive_id = :id AND type = 'execution_end'"
        ),
        {"artifacts"},
    ),
    "artifact that is no object": (
        agreed,
        sql(
            "UPDATE artifacts SET metadata = '\"text\"' "
            "WHERE directive_id = :id AND type = 'module_output' "
            "OR directive_id = :id AND type = 'execution_end'"
        ),
        {"artifacts", "runs"},
    ),
    "terms of a request": (
        waiting,
        sql("UPDATE approval_requests SET allow_self_approval = true WHERE directive_id = :id"),
        {"requests"},
    ),
    "reason of a vote": (
        agreed,
        sql(
            "UPDATE approval_votes SET reason = 'gladly' WHERE reason = 'looks fine' AND "
            "request_id IN (SELECT id FROM approval_requests WHERE directive_id = :id)"
        ),
        {"votes", "grants", "answers", "voters"},
    ),
    "vote against that was removed": (
        rejected,
        sql(
            "DELETE FROM approval_votes WHERE request_id IN "
            "(SELECT id FROM approval_requests WHERE directive_id = :id)"
        ),
        {"votes", "answers"},
    ),
    "voter of a grant": (
        agreed,
        sql('UPDATE grants SET votes = \'["ada", "mallory"]\' WHERE directive_id = :id'),
        {"grants", "no run without a grant", "runs", "answers", "voters"},
    ),
    "grant signed by a thief of the key": (agreed, regranted, {"grants"}),
    "run": (waiting, forged_run, FORGED_RUN),
    "version of the module": (
        agreed,
        sql("UPDATE execution_runs SET module_version = '9' WHERE directive_id = :id"),
        {"runs"},
    ),
    "promise": (
        agreed,
        sql("DELETE FROM budget_entries WHERE directive_id = :id AND account = 'monthly'"),
        {"budget"},
    ),
    "amount that was spent": (
        agreed,
        sql("UPDATE budget_entries SET amount = 1 WHERE directive_id = :id AND kind = 'settle'"),
        {"budget"},
    ),
}
"""What is forged of which life, and which checks show it."""


@pytest.mark.parametrize("name", FORGERIES)
def test_what_was_tampered_with_is_exported_and_does_not_hold(engine: sa.Engine, name: str) -> None:
    live, forge, expected = FORGERIES[name]
    found = live(engine)
    assert failing(engine, found) == {}
    forge(engine, found)
    assert set(failing(engine, found)) == expected


def test_content_that_the_gate_saw_to_be_changed_is_told_as_it_was(engine: sa.Engine) -> None:
    found = proposed(engine, type="unheard-of")
    write(engine, "UPDATE directives SET type = 'echo' WHERE id = :id", id=found.id)
    assert proposals.submit(engine, found.id, AUTHORITY, by=AGENT).directive.status == "blocked"
    failed = failing(engine, found)
    assert set(failed) == {"action digest", "decisions"}
    # The second decision, which is about the content as it is, comes out as it did.
    assert failed["decisions"].count("is about other content than the directive has") == 1
    assert "made again" not in failed["decisions"]


UNREADABLE = {
    "voters": "UPDATE grants SET votes = '[7]' WHERE directive_id = :id",
    "envelope": "UPDATE grants SET envelope = '7' WHERE directive_id = :id",
}

UNREADABLE_METADATA = {
    "depth": (
        "UPDATE artifacts SET metadata = (repeat('[', 3000) || repeat(']', 3000))::jsonb "
        "WHERE directive_id = :id"
    ),
    "digits": ("UPDATE artifacts SET metadata = repeat('9', 5000)::jsonb WHERE directive_id = :id"),
}


@pytest.mark.parametrize("name", UNREADABLE_METADATA)
def test_metadata_that_python_cannot_read_is_carried_as_text_and_does_not_hold(
    engine: sa.Engine, name: str
) -> None:
    found = agreed(engine)
    write(engine, UNREADABLE_METADATA[name], id=found.id)
    assert "artifacts" in failing(engine, found)


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_no_bundle_can_carry_is_refused_in_words(engine: sa.Engine, name: str) -> None:
    found = agreed(engine)
    write(engine, UNREADABLE[name], id=found.id)
    with pytest.raises(ConflictError, match="no bundle can carry"):
        exported(engine, found.id)


@pytest.mark.parametrize("by", [AGENT, OPERATOR, GRACE, replace(ADMIN, scopes=("propose",))])
def test_only_who_may_audit_gets_a_bundle(engine: sa.Engine, by: Principal) -> None:
    found = blocked(engine)
    with pytest.raises(ForbiddenError, match="audit"):
        export_bundle(engine, found.id, KEYS, by=by)


def test_there_is_no_bundle_of_an_unknown_directive(engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError):
        export_bundle(engine, uuid4(), KEYS, by=ADMIN)
