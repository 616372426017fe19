"""What must hold between rows and events, and how one such claim is written. No I/O here.

The log says what happened, and the rows what there is: whoever writes one of them alone, with the
services' own login, is found here. Each claim is one statement over whole tables. Where an event
names no row, as it names no vote, as many rows must be there as events. Claims about runs, money
and evidence stand in `remit.audit.execution_claims`.
"""

from dataclasses import dataclass

from remit.vocabulary import ClaimFault


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that must hold between the rows and the log.

    Attributes:
        fault: what it is when it does not hold.
        words: the same for a person; `{what}` stands for what the statement names.
        sql: a statement of three columns, a row for each thing that is wrong: the directive or the
            nil UUID, the event's position or null, and a text that names it.
    """

    fault: ClaimFault
    words: str
    sql: str


NIL = "'00000000-0000-0000-0000-000000000000'::uuid"


def named(field: str, condition: str) -> str:
    """Return a statement of what events name under a field: directive, position, key, value, actor.

    Arrays and texts that somebody forged in the place of an object name nothing. `condition` is
    SQL about `event`.
    """
    return f"""
        SELECT event.directive_id, event.seq, named.key, named.value, event.actor
        FROM events AS event, jsonb_each_text(
            CASE jsonb_typeof(event.data -> '{field}') WHEN 'object'
            THEN event.data -> '{field}' END
        ) AS named
        WHERE {condition}
    """  # noqa: S608 - constants of the modules that hold claims


def counted(
    what: str, rows: str, events: str, *, more: str = "more", less: str = "fewer"
) -> tuple[Claim, Claim]:
    """Return that there are as many rows as events, for each directive and key.

    `rows` and `events` are statements of `about` and `key`. `what` is said with `more` where there
    are more rows, and with `less` where there are more events.
    """
    sql = f"""
        SELECT COALESCE(kept.about, told.about), NULL::integer,
            COALESCE(kept.key, told.key) || ', ' || COALESCE(kept.number, 0) || ' of rows and '
                || COALESCE(told.number, 0) || ' of events'
        FROM (SELECT about, key, count(*) AS number FROM ({rows}) AS row GROUP BY 1, 2) AS kept
        FULL JOIN (SELECT about, key, count(*) AS number FROM ({events}) AS event GROUP BY 1, 2)
            AS told ON told.about = kept.about AND told.key = kept.key
        WHERE COALESCE(kept.number, 0) {{}} COALESCE(told.number, 0)
    """  # noqa: S608 - constants of this module, here and below
    return (
        Claim("untold", what.format(more) + ": {what}", sql.format(">")),
        Claim("unfounded", what.format(less) + ": {what}", sql.format("<")),
    )


CONSENT: tuple[Claim, ...] = (
    Claim(
        "told_otherwise",
        "its log begins with {what}, and it was issued by somebody else",
        """
        SELECT directive.id, 1, event.type || ' by ' || event.actor
        FROM directives AS directive
        JOIN events AS event ON event.directive_id = directive.id AND event.seq = 1
        WHERE event.actor <> directive.issued_by
        """,
    ),
    Claim(
        "told_otherwise",
        "its action digest is {what}, and its log says another one",
        """
        SELECT directive.id, event.seq, COALESCE(directive.action_digest, 'none')
        FROM directives AS directive JOIN events AS event ON event.directive_id = directive.id
        WHERE event.type IN ('directive.proposed', 'directive.retried')
            AND COALESCE(event.data ->> 'action_digest', directive.action_digest)
                IS DISTINCT FROM directive.action_digest
        """,
    ),
    Claim(
        "told_otherwise",
        "the reason of its status is {what}, and its log says another one",
        """
        SELECT directive.id, NULL::integer, COALESCE(directive.status_reason, 'none')
        FROM directives AS directive LEFT JOIN LATERAL (
            SELECT event.type, event.data ->> 'reason' AS reason FROM events AS event
            WHERE event.directive_id = directive.id AND event.type LIKE 'directive.%'
            ORDER BY event.seq DESC LIMIT 1
        ) AS last ON true
        WHERE directive.status_reason IS DISTINCT FROM CASE last.type
            WHEN 'directive.in_doubt' THEN 'in_doubt' ELSE last.reason END
        """,
    ),
    *counted(
        "{} requests for approval than were told",
        "SELECT directive_id AS about, 'requests' AS key FROM approval_requests",
        "SELECT directive_id AS about, 'requests' AS key FROM events"
        " WHERE type = 'approval.requested'",
    ),
    *counted(
        "{} votes than were told",
        "SELECT request.directive_id AS about, decision || ' by ' || voter AS key"
        " FROM approval_votes JOIN approval_requests AS request ON request.id = request_id",
        "SELECT directive_id AS about, (data ->> 'decision') || ' by ' || actor AS key FROM events"
        " WHERE type = 'approval.voted'",
    ),
    *counted(
        "{} grants than were told",
        "SELECT directive_id AS about, 'grants' AS key FROM grants",
        "SELECT directive_id AS about, 'grants' AS key FROM events WHERE type = 'grant.issued'",
    ),
    *counted(
        "{} grants are void than were told",
        "SELECT directive_id AS about, void_reason AS key FROM grants WHERE voided_at IS NOT NULL",
        "SELECT directive_id AS about, data ->> 'reason' AS key FROM events"
        " WHERE type = 'grant.voided'",
    ),
    Claim(
        "told_otherwise",
        "the request for approval {what}, which does not follow from what was signed and told",
        """
        SELECT request.directive_id, NULL::integer, request.id || ' is ' || request.status
        FROM approval_requests AS request
        LEFT JOIN LATERAL (
            SELECT consent.void_reason, run.id IS NOT NULL AS started
            FROM grants AS consent LEFT JOIN execution_runs AS run ON run.grant_id = consent.id
            WHERE consent.directive_id = request.directive_id AND consent.request_id = request.id
            ORDER BY consent.issued_at DESC LIMIT 1
        ) AS given ON true
        WHERE NOT CASE
            WHEN given.started THEN request.status = 'consumed'
            WHEN given.void_reason = 'canceled' THEN request.status = 'canceled'
            WHEN given.void_reason IS NOT NULL THEN request.status = 'invalidated'
            WHEN given.started IS NOT NULL THEN request.status = 'approved'
            WHEN request.status = 'pending' THEN true
            WHEN request.status = 'rejected' THEN EXISTS (
                SELECT FROM approval_votes AS vote
                WHERE vote.request_id = request.id AND vote.decision = 'reject'
            )
            WHEN request.status = 'expired' THEN request.expires_at <= now()
            ELSE request.status IN ('canceled', 'invalidated')
        END
        """,
    ),
    Claim(
        "told_otherwise",
        "the request for approval {what} is stamped as if it had ended, or as if it had not",
        """
        SELECT directive_id, NULL::integer, id::text FROM approval_requests
        WHERE (status = 'pending') <> (resolved_at IS NULL)
        """,
    ),
    *counted(
        "{} requests for approval have ended than were told",
        # A grant that is made void takes its request with it, and only the grant's end is told.
        "SELECT request.directive_id AS about,"
        " CASE WHEN consent.id IS NULL THEN request.status ELSE 'approved' END AS key"
        " FROM approval_requests AS request LEFT JOIN grants AS consent"
        " ON consent.request_id = request.id WHERE request.status <> 'pending'",
        "SELECT directive_id AS about, data ->> 'outcome' AS key FROM events"
        " WHERE type = 'approval.resolved' AND NOT (data ->> 'outcome' = 'canceled' AND EXISTS ("
        " SELECT FROM events AS after WHERE after.directive_id = events.directive_id"
        " AND after.seq = events.seq + 1 AND after.type = 'grant.voided'))",
    ),
)
"""What was asked for, and what people were asked and answered."""

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
