"""What must hold between evidence and what it is evidence of: runs, decisions, events. No I/O here.

Most artifacts are not signed themselves. What a run left is named by whoever signed how it ended,
which `remit.audit.run_ends` holds against the artifacts of each run that ended; so here it must be
of such a run. What was stored before the installation had an identity is left alone.
"""

from collections.abc import Mapping

from remit.audit.claims import NIL, Claim, named
from remit.audit.run_ends import LEFT
from remit.vocabulary import ArtifactType, EventType

_DECISION: tuple[ArtifactType, ...] = ("policy_evaluation",)
_START: tuple[ArtifactType, ...] = ("execution_start",)

CARRIED: Mapping[EventType, tuple[ArtifactType, ...]] = {
    "directive.blocked": _DECISION,
    "directive.approved": _DECISION,
    "approval.requested": _DECISION,
    # Whichever is the last that is told of a start: a long module is begun later.
    "directive.executing": _START,
    "run.attempted": _START,
    "directive.completed": LEFT,
    "directive.aborted": LEFT,
    "artifact.stored": ("attachment",),
    "llm.called": ("llm_call", "llm_usage"),
}
"""Which types of artifacts an event of each type can name; any other names none."""

_PAIRS = ", ".join(f"('{event}', '{kind}')" for event, kinds in CARRIED.items() for kind in kinds)
_EVIDENCE = named("evidence", "event.data ? 'evidence'")
_MEMORIES = named("memories", "event.type = 'memory.added'")
_LEFT = ", ".join(f"'{kind}'" for kind in LEFT)

EVIDENCE: tuple[Claim, ...] = (
    Claim(
        "untold",
        "artifact {what} is told by no event of its chain",
        f"""
        SELECT artifact.directive_id, NULL::integer, artifact.id::text FROM artifacts AS artifact
        WHERE NOT EXISTS (
            SELECT FROM ({_EVIDENCE}) AS named WHERE named.key = artifact.uri
                AND named.directive_id = COALESCE(artifact.directive_id, {NIL})
        )
        """,  # noqa: S608
    ),
    Claim(
        "told_otherwise",
        "artifact {what} is told more than once",
        f"""
        SELECT min(named.directive_id::text)::uuid, NULL::integer, named.key
        FROM ({_EVIDENCE}) AS named GROUP BY named.key HAVING count(*) > 1
        """,  # noqa: S608
    ),
    Claim(
        "told_otherwise",
        "memory {what} is told more than once",
        f"""
        SELECT min(named.directive_id::text)::uuid, NULL::integer, named.key
        FROM ({_MEMORIES}) AS named GROUP BY named.key HAVING count(*) > 1
        """,  # noqa: S608
    ),
    Claim(
        "untold",
        "memory {what} is told by no event of its chain with its digest, in its author's name",
        f"""
        SELECT COALESCE(memory.directive_id, {NIL}), NULL::integer, memory.id::text
        FROM memories AS memory CROSS JOIN installation
        WHERE NOT (memory.created_by = 'remit' AND memory.created_at < installation.since)
        AND NOT EXISTS (
            SELECT FROM ({_MEMORIES}) AS named WHERE named.key = memory.id::text
                AND named.value = memory.digest AND named.actor = memory.created_by
                AND named.directive_id = COALESCE(memory.directive_id, {NIL})
        )
        """,  # noqa: S608
    ),
)
"""What is kept for good. An event may name a memory that is gone: it may have to be forgotten.
Whether an artifact has the digest that is told, `stream_mentions` of
`remit.audit.claims_repository` finds out."""

EVIDENCE_SOURCES: tuple[Claim, ...] = (
    Claim(
        "unfounded",
        "artifact {what}, and belongs to no run of its directive that ended",
        f"""
        SELECT COALESCE(artifact.directive_id, {NIL}), NULL::integer,
            artifact.id || ' is ' || artifact.type
        FROM artifacts AS artifact CROSS JOIN installation
        LEFT JOIN execution_runs AS run
            ON run.id = artifact.run_id AND run.directive_id = artifact.directive_id
        WHERE artifact.type IN ({_LEFT}) AND artifact.created_at >= installation.since
            -- A run that ended before that may have an end that nobody signed, and left no more.
            AND (run.ended_at >= installation.since) IS NOT TRUE
        """,  # noqa: S608 - constants of this module, here and below
    ),
    Claim(
        "told_otherwise",
        "run {what} of its start, and not one",
        """
        SELECT run.directive_id, NULL::integer,
            run.id || ' has ' || COALESCE(started.number, 0) || ' artifacts'
        FROM execution_runs AS run CROSS JOIN installation
        LEFT JOIN (
            SELECT run_id, count(*) AS number FROM artifacts WHERE type = 'execution_start'
            GROUP BY 1
        ) AS started ON started.run_id = run.id
        WHERE run.created_at >= installation.since AND COALESCE(started.number, 0) <> 1
        """,
    ),
    Claim(
        "told_otherwise",
        "artifact {what} says of the start of a run what neither its grant nor its row does",
        f"""
        SELECT COALESCE(artifact.directive_id, {NIL}), NULL::integer, artifact.id::text
        FROM artifacts AS artifact CROSS JOIN installation
        LEFT JOIN execution_runs AS run
            ON run.id = artifact.run_id AND run.directive_id = artifact.directive_id
            AND run.created_at >= installation.since
        LEFT JOIN grants AS consent ON consent.id = run.grant_id
        WHERE artifact.type = 'execution_start' AND artifact.created_at >= installation.since
            AND artifact.metadata IS DISTINCT FROM CASE WHEN consent.id IS NOT NULL THEN
                jsonb_build_object(
                    'run', run.id, 'grant', consent.id, 'module', run.module,
                    'module_version', run.module_version, 'idempotency_key', run.idempotency_key,
                    'action_digest', consent.action_digest,
                    'policy_digest', consent.policy_digest, 'approved_by', consent.votes,
                    'module_digest', consent.module_digest
                ) END
        """,  # noqa: S608
    ),
    Claim(
        "told_otherwise",
        "artifact {what} is no finding of a decision that its log tells of, with its verdict",
        f"""
        SELECT COALESCE(artifact.directive_id, {NIL}), NULL::integer, artifact.id::text
        FROM artifacts AS artifact CROSS JOIN installation
        LEFT JOIN (
            SELECT directive_id, data ->> 'artifact' AS uri, count(*) AS number,
                min(data ->> 'verdict') AS verdict, min(data ->> 'policy_digest') AS policy
            FROM events WHERE type = 'policy.evaluated' GROUP BY 1, 2
        ) AS told ON told.uri = artifact.uri AND told.directive_id = artifact.directive_id
        WHERE artifact.type = 'policy_evaluation' AND artifact.created_at >= installation.since
            AND (artifact.run_id, told.number, told.verdict, told.policy) IS DISTINCT FROM (
                NULL::uuid, 1, artifact.metadata ->> 'verdict',
                artifact.metadata ->> 'policy_digest'
            )
        """,  # noqa: S608
    ),
    Claim(
        "told_otherwise",
        "an event {what}, and none of that type leaves such evidence",
        f"""
        SELECT event.directive_id, event.seq, event.type || ' names the ' || artifact.type || ' '
            || artifact.id
        FROM ({_EVIDENCE}) AS named
        JOIN artifacts AS artifact ON artifact.uri = named.key
        JOIN events AS event
            ON event.directive_id = named.directive_id AND event.seq = named.seq
        CROSS JOIN installation
        WHERE event.occurred_at >= installation.since
            AND (event.type, artifact.type) NOT IN (VALUES {_PAIRS})
        """,  # noqa: S608
    ),
)
"""What runs leave and begin with, what decisions left, and which events name what. An attempt that
did not end its run leaves nothing."""
