"""What must hold between the log and what was run, spent and kept as evidence. No I/O here.

Most artifacts are not signed themselves. What a run left is named by whoever signed how it ended,
which `remit.audit.run_ends` checks; so here it must be of a run that ended.
"""

from collections.abc import Mapping

from remit.audit.claims import NIL, Claim, counted, named
from remit.audit.run_ends import LEFT
from remit.vocabulary import ArtifactType, EventType

_RESERVED = named("reserved", "event.type = 'grant.issued'")

EXECUTION: tuple[Claim, ...] = (
    Claim(
        "untold",
        "run {what} is told by no event, or its grant by none that consumes it",
        """
        SELECT run.directive_id, NULL::integer, run.id::text FROM execution_runs AS run
        WHERE NOT EXISTS (
            SELECT FROM events AS event WHERE event.directive_id = run.directive_id
                AND event.type = 'directive.executing' AND event.data ->> 'run' = run.id::text
        ) OR NOT EXISTS (
            SELECT FROM events AS event WHERE event.directive_id = run.directive_id
                AND event.type = 'grant.consumed' AND event.data ->> 'grant' = run.grant_id::text
        )
        """,
    ),
    Claim(
        "unfounded",
        "it tells of {what}, of which there is no run",
        """
        SELECT event.directive_id, event.seq,
            event.type || ' ' || COALESCE(event.data ->> 'run', event.data ->> 'grant', 'none')
        FROM events AS event
        WHERE event.type IN ('directive.executing', 'grant.consumed') AND NOT EXISTS (
            SELECT FROM execution_runs AS run WHERE run.directive_id = event.directive_id
                AND CASE event.type WHEN 'grant.consumed'
                    THEN run.grant_id::text = event.data ->> 'grant'
                    ELSE run.id::text = event.data ->> 'run' END
        )
        """,
    ),
    Claim(
        "told_otherwise",
        "its runs were begun {what} times: as many as its runs say, and as its log says",
        """
        SELECT COALESCE(kept.directive_id, told.directive_id), NULL::integer,
            COALESCE(kept.number, 0) || ' and ' || COALESCE(told.number, 0)
        FROM (
            SELECT directive_id, sum(attempts) AS number FROM execution_runs
            WHERE attempts <> 0 GROUP BY 1
        ) AS kept
        FULL JOIN (
            SELECT directive_id, count(*) AS number FROM events
            WHERE type = 'run.attempted' GROUP BY 1
        ) AS told ON told.directive_id = kept.directive_id
        WHERE COALESCE(kept.number, 0) <> COALESCE(told.number, 0)
        """,
    ),
    Claim(
        "told_otherwise",
        "run {what} began at another time than its first attempt, or has what only an end gives it",
        """
        SELECT run.directive_id, NULL::integer, run.id::text
        FROM execution_runs AS run LEFT JOIN LATERAL (
            SELECT min(started_at) AS started_at FROM execution_attempts WHERE run_id = run.id
        ) AS first ON true CROSS JOIN installation
        JOIN grants AS consent ON consent.id = run.grant_id
        WHERE consent.issued_at >= installation.since
            AND run.started_at IS DISTINCT FROM first.started_at
            OR run.ended_at IS NULL AND (run.result, run.error_type, run.error_message)
                IS DISTINCT FROM (NULL::jsonb, NULL::text, NULL::text)
        """,
    ),
    *counted(
        "{} runs have ended than were told",
        "SELECT directive_id AS about, status AS key FROM execution_runs"
        " WHERE status IN ('completed', 'failed', 'canceled')",
        "SELECT directive_id AS about, CASE data ->> 'outcome' WHEN 'success' THEN 'completed'"
        " WHEN 'canceled' THEN 'canceled' ELSE 'failed' END AS key FROM events"
        " WHERE type = 'run.ended'",
    ),
)

MONEY: tuple[Claim, ...] = (
    *counted(
        "{} was promised than was told",
        "SELECT directive_id AS about, amount || ' of ' || account AS key FROM budget_entries"
        " WHERE kind = 'reserve'",
        f"SELECT directive_id AS about, value || ' of ' || key AS key FROM ({_RESERVED}) AS named",  # noqa: S608
        less="less",
    ),
    *counted(
        "{} was spent of no promise than was told",
        "SELECT directive_id AS about, amount::text AS key FROM budget_entries"
        " WHERE account = 'not promised'",
        "SELECT directive_id AS about, data ->> 'spent' AS key FROM events"
        " WHERE type = 'budget.unpromised'",
        less="less",
    ),
    Claim(
        "told_otherwise",
        "a promise was closed that still stands: {what}",
        """
        SELECT entry.directive_id, NULL::integer,
            entry.kind || ' of ' || entry.amount || ', ' || entry.account
        FROM budget_entries AS entry JOIN grants AS consent ON consent.id = entry.grant_id
        LEFT JOIN execution_runs AS run ON run.grant_id = entry.grant_id
        WHERE entry.kind <> 'reserve' AND consent.voided_at IS NULL AND run.ended_at IS NULL
        """,
    ),
    Claim(
        "told_otherwise",
        "less was settled than its attempts are known to cost: {what}",
        """
        SELECT entry.directive_id, NULL::integer,
            entry.kind || ' of ' || entry.amount || ', and they cost ' || spent.cost
        FROM budget_entries AS entry JOIN execution_runs AS run ON run.grant_id = entry.grant_id
        JOIN (
            -- What ends after its run is on record, and comes too late for the ledger.
            SELECT attempt.run_id, sum(attempt.cost) AS cost
            FROM execution_attempts AS attempt
            JOIN execution_runs AS of_run ON of_run.id = attempt.run_id
            WHERE attempt.ended_at <= of_run.ended_at GROUP BY 1
        ) AS spent ON spent.run_id = run.id
        WHERE spent.cost > CASE entry.kind WHEN 'settle' THEN entry.amount
            WHEN 'release' THEN 0 ELSE spent.cost END
        """,
    ),
    Claim(
        "told_otherwise",
        "the sums of the account {what} are not those of its entries",
        f"""
        SELECT {NIL}, NULL::integer, COALESCE(account.account, summed.account)
        FROM budget_accounts AS account FULL JOIN (
            SELECT entry.account, entry.period_start,
                sum(entry.amount) FILTER (WHERE entry.kind = 'reserve' AND closing.id IS NULL)
                    AS reserved,
                sum(entry.amount) FILTER (WHERE entry.kind = 'settle') AS settled
            FROM budget_entries AS entry LEFT JOIN budget_entries AS closing
                ON closing.grant_id = entry.grant_id AND closing.account = entry.account
                AND closing.kind <> 'reserve' AND entry.kind = 'reserve'
            GROUP BY 1, 2
        ) AS summed ON summed.account = account.account
            AND summed.period_start = account.period_start
        WHERE (COALESCE(account.reserved, 0), COALESCE(account.settled, 0))
            IS DISTINCT FROM (COALESCE(summed.reserved, 0), COALESCE(summed.settled, 0))
        """,  # noqa: S608
    ),
)


_DECISION: tuple[ArtifactType, ...] = ("policy_evaluation",)

CARRIED: Mapping[EventType, tuple[ArtifactType, ...]] = {
    "directive.blocked": _DECISION,
    "directive.approved": _DECISION,
    "approval.requested": _DECISION,
    # Whichever is the last that is told of a start: a long module is begun later.
    "directive.executing": ("execution_start",),
    "run.attempted": ("execution_start",),
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
    *(
        Claim(
            "told_otherwise",
            f"{noun} {{what}} is told more than once",
            f"""
            SELECT min(named.directive_id::text)::uuid, NULL::integer, named.key
            FROM ({of_events}) AS named GROUP BY named.key HAVING count(*) > 1
            """,  # noqa: S608
        )
        for noun, of_events in (("artifact", _EVIDENCE), ("memory", _MEMORIES))
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
"""An event may name a memory that is gone: it may have to be forgotten."""

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
"""What was stored before the installation had an identity is left alone."""
