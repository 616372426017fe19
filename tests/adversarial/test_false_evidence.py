"""Evidence that somebody forges with the services' own login, and no key: an audit finds each.

It is whole, and an event names it with its digest. But it is of no run that ended with it, of no
decision, or named by an event that leaves no such evidence. What was asked of models is signed by
nobody: docs/security.md names it. Each control takes the look at that out.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, get_args
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from remit.artifacts.types import parse_artifact_uri
from remit.audit import claims_repository
from remit.audit.execution_claims import CARRIED, EVIDENCE_SOURCES
from remit.operations.evidence.auditing import judge
from remit.vocabulary import ArtifactType
from tests.adversarial.beginning import begun, leave, tell
from tests.adversarial.columns_world import Made, build
from tests.adversarial.world import Connection
from tests.support.keys import KEYS

CLAIM: dict[str, JsonValue] = {"refund": "1000000.00", "to": "mallory", "approved_by": ["root"]}
OF_THE_END = ("module_output", "execution_checkpoint", "execution_end")
KINDS = (*OF_THE_END, "execution_start", "policy_evaluation")
CARRIERS = ("run.refused", "llm.called", "artifact.stored")


@pytest.fixture(scope="module")
def made(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a world that an audit finds nothing wrong with."""
    return build(engine, tmp_path_factory.mktemp("store"))


@pytest.fixture
def attacker(engine: sa.Engine) -> Iterator[tuple[Connection, sa.Connection]]:
    """Return a connection of the services' login, twice; what it writes is undone."""
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        assert raw.info.user == "remit_app"
        yield raw, connection


Attacker = tuple[Connection, sa.Connection]


def found(attacker: Attacker) -> list[str]:
    """Return what an audit says of what is written."""
    attacker[0].execute("SET CONSTRAINTS ALL IMMEDIATE")
    return [f"{one.fault}: {one.words}" for one in judge(attacker[1], KEYS)]


def believe(patch: pytest.MonkeyPatch) -> None:
    """Take out the defence: evidence is of whatever it says, and any event names it."""
    kept = tuple(claim for claim in claims_repository.CLAIMS if claim not in EVIDENCE_SOURCES)
    assert len(kept) == len(claims_repository.CLAIMS) - len(EVIDENCE_SOURCES)
    patch.setattr(claims_repository, "CLAIMS", kept)


def run_of(c: Connection, about: UUID) -> UUID:
    """Return the run of a directive."""
    [(run,)] = c.execute(
        "SELECT id FROM execution_runs WHERE directive_id = %s", [about]
    ).fetchall()
    return UUID(str(run))


def forge(c: Connection, kind: str, about: UUID, carrier: str, run: UUID | None) -> str:
    """Leave evidence that an event names, and return its identifier."""
    evidence = leave(c, kind, about, CLAIM, run)
    uri = next(iter(evidence))
    tell(c, about, carrier, "remit", {"attempt": 1, "artifact": uri, "evidence": evidence})
    return parse_artifact_uri(uri).key


def forge_all(c: Connection, made: Made) -> list[str]:
    """Leave each kind of evidence with each event; none that a signed end is held against."""
    places: list[tuple[UUID, UUID | None]] = [(made.done, None), (made.under_way, None)]
    places += [(one, run_of(c, one)) for one in (made.done, made.under_way)]
    return [
        forge(c, kind, about, carrier, run)
        for kind, carrier, (about, run) in product(KINDS, CARRIERS, places)
        if not (kind in OF_THE_END and about == made.done and run)
    ]


def test_evidence_that_an_event_of_another_kind_names_is_found(
    attacker: Attacker, made: Made
) -> None:
    forged = forge_all(attacker[0], made)
    said = "\n".join(found(attacker))
    assert [one for one in forged if one not in said] == []


def test_without_the_look_at_what_evidence_is_of_the_audit_is_content(
    attacker: Attacker, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge_all(attacker[0], made)
    believe(monkeypatch)
    assert found(attacker) == []


@pytest.mark.parametrize("kind", OF_THE_END)
def test_what_no_signed_end_of_a_run_names_is_found(
    attacker: Attacker, made: Made, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(attacker[0], made.done)
    forge(attacker[0], kind, made.done, "run.refused", run)
    # Not by the claims alone: whoever ended the run signed what it left.
    believe(monkeypatch)
    [said] = found(attacker)
    assert f"run {run}: attempt 1 ended otherwise than its worker signed: artifacts" in said


def test_what_is_of_the_run_of_another_directive_is_found(attacker: Attacker, made: Made) -> None:
    run = run_of(attacker[0], made.done)
    forged = forge(attacker[0], "module_output", made.under_way, "run.refused", run)
    assert any(one.startswith(f"unfounded: artifact {forged} is ") for one in found(attacker))


def no_start(c: Connection, made: Made) -> None:
    """A run that no artifact begins."""
    begun(c, made, starts=0)


def two_starts(c: Connection, made: Made) -> None:
    """A run that two begin, each of them true."""
    begun(c, made, starts=2)


def approved_by_another(c: Connection, made: Made) -> None:
    """A start that names other votes than its grant."""
    begun(c, made, approved_by=["root"])


def of_more(c: Connection, made: Made) -> None:
    """A start that says more than a start does."""
    begun(c, made, refund="1000000.00")


def decision_of_another_verdict(c: Connection, made: Made) -> None:
    """A directive that is blocked, with a decision that says something else."""
    metadata: dict[str, JsonValue] = {"verdict": "allow", "policy_digest": "sha256:" + "d" * 64}
    evidence = leave(c, "policy_evaluation", made.approved, metadata, None)
    said: dict[str, JsonValue] = {"verdict": "block", "policy_version": "1"}
    more: dict[str, JsonValue] = {"artifact": next(iter(evidence))}
    digest: dict[str, JsonValue] = {"policy_digest": metadata["policy_digest"]}
    tell(c, made.approved, "policy.evaluated", "remit", said | more | digest)
    told: dict[str, JsonValue] = {"because": ["forged"], "evidence": evidence}
    tell(c, made.approved, "approval.requested", "remit", told)


STARTS: dict[Callable[[Connection, Made], None], str] = {
    no_start: "has 0 artifacts of its start",
    two_starts: "has 2 artifacts of its start",
    approved_by_another: "says of the start of a run what neither its grant nor its row does",
    of_more: "says of the start of a run what neither its grant nor its row does",
}


@pytest.mark.parametrize("start", STARTS, ids=lambda one: one.__name__)
def test_a_start_that_is_not_as_grant_and_run_say_is_found(
    attacker: Attacker,
    made: Made,
    start: Callable[[Connection, Made], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(attacker[0], made)
    [said] = found(attacker)
    assert STARTS[start] in said
    believe(monkeypatch)
    assert found(attacker) == []


def test_a_decision_that_its_log_does_not_tell_so_is_found(
    attacker: Attacker, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision_of_another_verdict(attacker[0], made)
    assert any("is no finding of a decision" in one for one in found(attacker))
    believe(monkeypatch)
    assert not any("is no finding of a decision" in one for one in found(attacker))


def test_what_was_asked_of_a_model_is_named_by_that_event_alone(
    attacker: Attacker, made: Made
) -> None:
    forge(attacker[0], "llm_call", made.done, "llm.called", None)
    assert found(attacker) == []
    forged = forge(attacker[0], "llm_call", made.done, "run.refused", None)
    [said] = found(attacker)
    assert f"an event run.refused names the llm_call {forged}" in said


def test_each_kind_of_evidence_is_left_by_some_event() -> None:
    assert {kind for kinds in CARRIED.values() for kind in kinds} == {*get_args(ArtifactType)}
