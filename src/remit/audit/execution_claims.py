"""What must hold between the log and what was run and spent, and who may run it. No I/O here."""

from remit.audit.claims import NIL, Claim, counted, named

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

RULES: tuple[Claim, ...] = (
    *counted(
        "{}",
        f"SELECT {NIL} AS about, digest || ' by ' || confirmed_by AS key FROM policies",  # noqa: S608
        "SELECT directive_id AS about, (data ->> 'digest') || ' by ' || actor AS key FROM events"
        " WHERE type = 'policy.confirmed'",
        more="a policy is confirmed, and the log does not tell of it",
        less="the log tells of a policy that was confirmed, and there is none",
    ),
    Claim(
        "untold",
        "the module {what} stands announced, and the worker that is named for it has none such",
        f"""
        SELECT {NIL}, NULL::integer, module.name || ' ' || module.version
        FROM modules AS module CROSS JOIN installation
        WHERE module.announced_at >= installation.since AND NOT EXISTS (
            SELECT FROM workers AS worker
            WHERE worker.id = module.announced_by AND worker.modules ->> module.name = module.digest
        )
        """,  # noqa: S608
    ),
)
"""Which policies may decide, and which modules workers may run."""
