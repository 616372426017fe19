"""What somebody writes with the services' own login, and no key: events, evidence, a run begun.

They write all that Remit would, in its order. What they cannot write is a signature.
"""

from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from remit.artifacts.types import artifact_uri
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from tests.adversarial import world as w
from tests.adversarial.columns_world import Made
from tests.adversarial.world import Connection


def tell(c: Connection, about: UUID, event: str, actor: str, data: JsonObject) -> None:
    """Append an event."""
    row = {"directive_id": about, "type": event, "actor": actor, "data": Jsonb(data)}
    w.insert(c, "events", row)


def begun(c: Connection, made: Made, starts: int = 1, **otherwise: JsonValue) -> UUID:
    """Begin the run of an approved directive, with all that is told of it and no signature.

    Args:
        c: the attacker's connection.
        made: where the attacker begins.
        starts: how many artifacts of its start there are.
        otherwise: what those say otherwise than the grant and the run.
    """
    [(granted, worker, digest)] = c.execute(
        "SELECT consent.id, worker.id, consent.module_digest FROM grants AS consent, workers AS"
        " worker WHERE consent.directive_id = %s AND worker.modules ->> consent.module ="
        " consent.module_digest LIMIT 1",
        [made.approved],
    ).fetchall()
    assert digest
    run = uuid4()
    tell(c, made.approved, "grant.consumed", "remit", {"grant": str(granted)})
    c.execute(
        "UPDATE directives SET status = 'executing', updated_at = now() WHERE id = %s",
        [made.approved],
    )
    tell(c, made.approved, "directive.executing", "remit", {"run": str(run)})
    row = {"id": run, "directive_id": made.approved, "grant_id": granted, "module": "echo"}
    more = {"module_version": "1", "idempotency_key": str(run), "status": "running"}
    # A run wants to see the status, whose event is looked for at once, and later ones at the end.
    c.execute("SET CONSTRAINTS ALL IMMEDIATE")
    c.execute("SET CONSTRAINTS ALL DEFERRED")
    w.insert(c, "execution_runs", row | more | {"started_at": "now", "attempts": 1})
    w.insert(c, "execution_attempts", {"run_id": run, "attempt": 1, "worker_id": worker})
    evidence: JsonObject = {}
    for _ in range(starts):
        said = _start_of(c, run) | otherwise
        evidence |= leave(c, "execution_start", made.approved, said, run)
    told: JsonObject = {"attempt": 1, "worker": str(worker), "evidence": evidence}
    tell(c, made.approved, "run.attempted", "remit", told)
    return run


def _start_of(c: Connection, run: UUID) -> JsonObject:
    """Return what the artifact of a start says that Remit makes."""
    [row] = c.execute(
        "SELECT run.id::text, consent.id::text, consent.action_digest, consent.policy_digest,"
        " consent.votes, run.module, run.module_version, consent.module_digest,"
        " run.idempotency_key FROM execution_runs AS run JOIN grants AS consent"
        " ON consent.id = run.grant_id WHERE run.id = %s",
        [run],
    ).fetchall()
    names = "run grant action_digest policy_digest approved_by module module_version module_digest"
    return dict(zip([*names.split(), "idempotency_key"], row, strict=True))


def leave(
    c: Connection, kind: str, about: UUID | None, metadata: JsonObject, run: UUID | None
) -> JsonObject:
    """Leave evidence, and return how an event names it."""
    artifact, content = uuid4(), canonical_json(metadata)
    uri, digest = artifact_uri(artifact), sha256_digest(content)
    row = {"id": artifact, "type": kind, "uri": uri, "metadata": Jsonb(metadata), "run_id": run}
    more = {"digest": digest, "size_bytes": len(content), "directive_id": about}
    w.insert(c, "artifacts", row | more)
    return {uri: digest}
