"""All SQL that holds rows and events against each other, both ways. It writes nothing.

The log says what happened, and the rows what there is: whoever writes one of them alone, with the
services' own login, is found here. Each claim is one statement over whole tables. Where an event
names no row, as it names no vote, as many rows must be there as events.

`remit.operations.evidence.auditing` calls it inside one snapshot. Rows that are signed are verified
besides.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from remit.audit.claims import NIL, Broken, Claim, counted, named
from remit.audit.evidence_claims import OF_EVENTS, OF_RUNS
from remit.audit.execution_claims import EXECUTION, MONEY, POLICIES, WORKERS


def stream_broken(connection: sa.Connection) -> Iterator[Broken]:
    """Yield what does not hold, claim by claim."""
    for claim in CLAIMS:
        many = {"yield_per": _MANY}
        with connection.execute(sa.text(claim.sql), execution_options=many) as rows:
            for directive_id, seq, what in rows:
                yield Broken(claim, directive_id, seq, str(what))


_MANY = 2000
_EVIDENCE = named("evidence", "event.data ? 'evidence'")
_MEMORIES = named("memories", "event.type = 'memory.added'")

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
"""What is kept for good. Whether an artifact has the digest that is told, `stream_mentions` of
`remit.audit.scan_repository` finds out; of what it is evidence, `remit.audit.evidence_claims` asks.
An event may name a memory that is gone: it may have to be forgotten."""

INTENT: tuple[Claim, ...] = (
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
)

CONSENT: tuple[Claim, ...] = (
    *counted(
        "more requests for approval than were told: {what}",
        "fewer requests for approval than were told: {what}",
        "SELECT directive_id AS about, 'requests' AS key FROM approval_requests",
        "SELECT directive_id AS about, 'requests' AS key FROM events"
        " WHERE type = 'approval.requested'",
    ),
    *counted(
        "more votes than were told: {what}",
        "fewer votes than were told: {what}",
        "SELECT request.directive_id AS about, decision || ' by ' || voter AS key"
        " FROM approval_votes JOIN approval_requests AS request ON request.id = request_id",
        "SELECT directive_id AS about, (data ->> 'decision') || ' by ' || actor AS key FROM events"
        " WHERE type = 'approval.voted'",
    ),
    *counted(
        "more grants than were told: {what}",
        "fewer grants than were told: {what}",
        "SELECT directive_id AS about, 'grants' AS key FROM grants",
        "SELECT directive_id AS about, 'grants' AS key FROM events WHERE type = 'grant.issued'",
    ),
    *counted(
        "more grants are void than were told: {what}",
        "fewer grants are void than were told: {what}",
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
        "more requests for approval have ended than were told: {what}",
        "fewer requests for approval have ended than were told: {what}",
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

CLAIMS: tuple[Claim, ...] = (
    *INTENT,
    *CONSENT,
    *EXECUTION,
    *MONEY,
    *EVIDENCE,
    *OF_RUNS,
    *OF_EVENTS,
    *POLICIES,
    *WORKERS,
)
"""Everything that is held against the log."""
