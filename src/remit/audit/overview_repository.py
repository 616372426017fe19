"""All SQL of the overview: what there is now, and what the last while brought.

`remit.operations.evidence.overview` calls it inside one snapshot, again and again. So every
statement is bounded: it looks at the newest rows of an index, and counts no further than it says.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import get_args

import sqlalchemy as sa

from remit.audit.overview import (
    MOST_COUNTED,
    Ending,
    MemoryReads,
    PendingApproval,
    Running,
    StatusCount,
    Tally,
    Unanswered,
    VerdictCount,
)
from remit.vocabulary import DirectiveStatus

MOST_RECENT = 2_000
"""How many of the newest are looked at: directives of each status, decisions, reads of memory."""

MOST_WORDS = 20
"""How many different words one kind of tally has."""

SOON = timedelta(hours=1)
"""A request expires soon in its last hour, or in its last quarter if that is shorter."""


def limit_time(connection: sa.Connection, limit: timedelta) -> None:
    """Let no later statement of this transaction take longer than `limit`."""
    milliseconds = str(limit // timedelta(milliseconds=1))
    connection.execute(
        sa.text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": milliseconds}
    )


def count_statuses(connection: sa.Connection, statuses: Sequence[str]) -> list[StatusCount]:
    """Return how many directives have each of these statuses, in their order."""
    rows = connection.execute(_STATUSES, {"words": list(statuses), "most": MOST_COUNTED})
    return [StatusCount(*row) for row in rows]


def count_unanswered(connection: sa.Connection, idle: timedelta) -> Unanswered:
    """Return what waits; what has been proposed for less than `idle` is left out."""
    named = {"idle": idle, "soon": SOON, "most": MOST_COUNTED}
    return Unanswered(*connection.execute(_UNANSWERED, named).one())


def tally_recent(connection: sa.Connection, window: timedelta) -> list[Tally]:
    """Return what became of directives within `window`, the most frequent first in each kind."""
    statuses = list(get_args(DirectiveStatus))
    named = {"window": window, "most": MOST_RECENT, "words": MOST_WORDS, "statuses": statuses}
    return [Tally(*row) for row in connection.execute(_TALLIES, named)]


def tally_verdicts(connection: sa.Connection, window: timedelta) -> list[VerdictCount]:
    """Return the verdicts of the gate within `window`, and which policies did not allow."""
    named = {"window": window, "most": MOST_RECENT, "words": MOST_WORDS}
    return [VerdictCount(*row) for row in connection.execute(_VERDICTS, named)]


def list_pending(connection: sa.Connection, limit: int) -> list[PendingApproval]:
    """Return the approvals that are waited for, the first to run out first."""
    return [PendingApproval(*row) for row in connection.execute(_PENDING, {"limit": limit})]


def count_pending(connection: sa.Connection) -> int:
    """Return how many approvals are waited for; `MOST_COUNTED` stands for so many or more."""
    count: int = connection.execute(_PENDING_COUNT, {"most": MOST_COUNTED}).scalar_one()
    return count


def list_running(connection: sa.Connection, limit: int) -> list[Running]:
    """Return what executes, the longest first."""
    return [Running(*row) for row in connection.execute(_RUNNING, {"limit": limit})]


def list_endings(connection: sa.Connection, limit: int) -> list[Ending]:
    """Return what ended or was blocked, the latest first."""
    return [Ending(*row) for row in connection.execute(_ENDINGS, {"limit": limit})]


def tally_memory_reads(connection: sa.Connection, window: timedelta) -> list[MemoryReads]:
    """Return how often memory was asked what within `window`, the most frequent first."""
    named = {"window": window, "most": MOST_RECENT, "words": MOST_WORDS}
    return [MemoryReads(*row) for row in connection.execute(_MEMORY_READS, named)]


def _real(moment: str) -> str:
    """Return SQL for a moment with an end: one without would end the overview of all others."""
    near = f"least(greatest({moment}, '1900-01-02+00'), '9000-01-01+00')"
    return f"(CASE WHEN {moment} IS NOT NULL THEN {near} END)"


# The index (status, updated_at) gives each of these; none of them reads the whole table.
_STATUSES = sa.text(f"""
    SELECT word,
        (
            SELECT count(*)
            FROM (SELECT 1 FROM directives WHERE status = word LIMIT :most) AS capped
        ),
        (
            SELECT extract(epoch FROM now() - {_real("min(updated_at)")})::float8
            FROM directives WHERE status = word
        )
    FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked (word, place)
    ORDER BY place
""")  # noqa: S608 - the pieces stand above
_UNANSWERED = sa.text(f"""
    SELECT
        (
            SELECT count(*)
            FROM (
                SELECT id FROM directives
                WHERE status = 'proposed' AND updated_at <= now() - :idle
                ORDER BY updated_at LIMIT :most
            ) AS asked
            WHERE NOT EXISTS (
                SELECT FROM approval_requests AS request
                WHERE request.directive_id = asked.id AND request.status = 'pending'
            )
        ),
        (
            SELECT count(*)
            FROM (
                SELECT expires_at, requested_at FROM approval_requests
                WHERE status = 'pending' LIMIT :most
            ) AS pending
            WHERE {_real("expires_at")} - now()
                <= least(:soon, ({_real("expires_at")} - {_real("requested_at")}) / 4)
        ),
        (SELECT count(*) FROM directives WHERE status = 'executing' AND status_reason = 'in_doubt')
""")  # noqa: S608 - the pieces stand above
_RECENT = """
    recent AS MATERIALIZED (
        SELECT one.*
        FROM unnest(CAST(:statuses AS text[])) AS word
        CROSS JOIN LATERAL (
            SELECT id, type, status, status_reason FROM directives
            WHERE status = word AND updated_at >= now() - :window
            ORDER BY updated_at DESC LIMIT :most
        ) AS one
    )
"""
_SPREAD = """
    count(*) AS count,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
"""
# A directive that did anything within the window was changed in it, and so is among the recent.
_TALLIES = sa.text(f"""
    WITH {_RECENT},
    ran AS MATERIALIZED (
        SELECT recent.type,
            extract(epoch FROM {_real("run.created_at")} - {_real("grants.issued_at")})::float8
                AS lag,
            extract(
                epoch FROM {_real("run.ended_at")}
                - {_real("coalesce(run.started_at, run.created_at)")}
            )::float8 AS took,
            run.created_at >= now() - :window AS began,
            run.ended_at >= now() - :window AS ended
        FROM recent
        JOIN execution_runs AS run ON run.directive_id = recent.id
        JOIN grants ON grants.id = run.grant_id
    ),
    asked AS MATERIALIZED (
        SELECT extract(
            epoch FROM {_real("request.resolved_at")} - {_real("request.requested_at")}
        )::float8 AS seconds
        FROM recent
        JOIN approval_requests AS request ON request.directive_id = recent.id
        WHERE request.resolved_at >= now() - :window
            AND request.status IN ('approved', 'rejected', 'expired', 'consumed')
    ),
    tallied AS (
        SELECT 'status' AS kind, status AS word, count(*) AS count,
            NULL::float8 AS median, NULL::float8 AS p95
        FROM recent GROUP BY status
        UNION ALL
        SELECT 'failure', status_reason, count(*), NULL, NULL
        FROM recent WHERE status_reason IS NOT NULL GROUP BY status_reason
        UNION ALL
        SELECT 'duration', type, {_SPREAD}
        FROM (SELECT type, took AS seconds FROM ran WHERE ended) AS one GROUP BY type
        UNION ALL
        SELECT 'queue_lag', '', {_SPREAD}
        FROM (SELECT lag AS seconds FROM ran WHERE began) AS one HAVING count(*) > 0
        UNION ALL
        SELECT 'approval_wait', '', {_SPREAD} FROM asked HAVING count(*) > 0
    )
    SELECT kind, word, count, median, p95
    FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY count DESC, word) AS place
        FROM tallied
    ) AS placed
    WHERE place <= :words
    ORDER BY kind, place
""")  # noqa: S608 - the pieces stand above
_VERDICTS = sa.text("""
    WITH judged AS MATERIALIZED (
        SELECT metadata ->> 'verdict' AS verdict,
            CASE jsonb_typeof(metadata -> 'results') WHEN 'array' THEN metadata -> 'results'
                ELSE '[]'::jsonb END AS results
        FROM artifacts
        WHERE type = 'policy_evaluation' AND created_at >= now() - :window
        ORDER BY created_at DESC LIMIT :most
    ),
    said AS (
        SELECT '' AS policy, verdict FROM judged
        UNION ALL
        SELECT result ->> 'policy', result ->> 'verdict'
        FROM judged CROSS JOIN LATERAL jsonb_array_elements(results) AS result
        WHERE result ->> 'verdict' <> 'allow'
    )
    SELECT *
    FROM (
        SELECT left(coalesce(policy, ''), 100) AS policy,
            left(coalesce(verdict, ''), 100) AS verdict, count(*) AS count
        FROM said GROUP BY 1, 2
    ) AS counted
    ORDER BY policy <> '', count DESC, policy, verdict LIMIT :words
""")
_PENDING = sa.text(f"""
    SELECT directive.id, directive.type, directive.scope, directive.issued_by,
        (
            SELECT count(*) FROM (
                SELECT DISTINCT ON (voter) decision FROM approval_votes
                WHERE request_id = request.id ORDER BY voter, id DESC
            ) AS latest
            WHERE decision = 'approve'
        ),
        request.required_approvals, {_real("request.expires_at")},
        extract(epoch FROM {_real("request.expires_at")} - now())::float8
    FROM approval_requests AS request
    JOIN directives AS directive ON directive.id = request.directive_id
    WHERE request.status = 'pending'
    ORDER BY request.expires_at, directive.id LIMIT :limit
""")  # noqa: S608 - the pieces stand above
_PENDING_COUNT = sa.text("""
    SELECT count(*)
    FROM (SELECT FROM approval_requests WHERE status = 'pending' LIMIT :most) AS capped
""")
_RUNNING = sa.text(f"""
    SELECT directive.id, directive.type, directive.scope, coalesce(run.attempts, 0),
        extract(epoch FROM now() - {_real("directive.updated_at")})::float8,
        directive.status_reason IS NOT NULL
    FROM (
        SELECT * FROM directives WHERE status = 'executing' ORDER BY updated_at, id LIMIT :limit
    ) AS directive
    LEFT JOIN LATERAL (
        SELECT attempts FROM execution_runs WHERE directive_id = directive.id
        ORDER BY created_at DESC LIMIT 1
    ) AS run ON true
    ORDER BY directive.updated_at, directive.id
""")  # noqa: S608 - the pieces stand above
_ENDINGS = sa.text(f"""
    SELECT one.id, one.type, one.scope, one.status, one.status_reason, {_real("one.updated_at")}
    FROM unnest(ARRAY['complete', 'aborted', 'blocked']) AS word
    CROSS JOIN LATERAL (
        SELECT id, type, scope, status, status_reason, updated_at FROM directives
        WHERE status = word ORDER BY updated_at DESC LIMIT :limit
    ) AS one
    ORDER BY one.updated_at DESC, one.id LIMIT :limit
""")  # noqa: S608 - the pieces stand above
# The identity grows with time, and there is no index on time alone.
_MEMORY_READS = sa.text("""
    SELECT left(query, 100), outcome, count(*)
    FROM (
        SELECT query, outcome, created_at FROM memory_reads ORDER BY id DESC LIMIT :most
    ) AS newest
    WHERE created_at >= now() - :window
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT :words
""")
