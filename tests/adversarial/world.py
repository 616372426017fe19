"""A small world in the database, made by lawful statements: something in every status.

What stands here is also the proof that the database's rules let an honest service work: every
statement is one of `remit_app`.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, get_args
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from remit.approval.types import ApprovalRequest, Vote
from remit.vocabulary import DirectiveStatus, RequestStatus, RunStatus
from tests.support.people import token_of

Connection = psycopg.Connection[Any]

DIGEST = "sha256:" + "a" * 64
POLICY = "sha256:" + "b" * 64
PEOPLE = ("carol", "dave", "erin")
AGENT = "bot"
"""An agent that acts for carol."""

DIRECTIVE_STATUSES: tuple[str, ...] = get_args(DirectiveStatus)
RUN_STATUSES: tuple[str, ...] = get_args(RunStatus)
REQUEST_STATUSES: tuple[str, ...] = get_args(RequestStatus)

STOPPED = {"blocked": "canceled", "aborted": "canceled"}
"""The statuses of a directive that need a reason, each with one."""

SAID = {"draft": "drafted", "complete": "completed"}
"""The statuses of a directive whose event has another name."""


def say(connection: Connection, directive: UUID, event: str) -> None:
    """Append an event."""
    connection.execute(
        "INSERT INTO events (directive_id, type, actor, data) VALUES (%s, %s, 'test', '{}')",
        [directive, event],
    )


def new_directive(connection: Connection, status: str = "proposed", issued_by: str = AGENT) -> UUID:
    """Store a directive that begins as draft or proposed, with its event."""
    directive = uuid4()
    connection.execute(
        "INSERT INTO directives (id, role, type, payload, issued_by, objective, scope, status,"
        " action_digest) VALUES (%s, 'r', 'echo', '{\"n\": 1}', %s, 'o', 'test', %s, %s)",
        [directive, issued_by, status, None if status == "draft" else DIGEST],
    )
    say(connection, directive, f"directive.{SAID.get(status, status)}")
    return directive


def move(connection: Connection, directive: UUID, status: str) -> None:
    """Give a directive its next status, with the event."""
    connection.execute(
        "UPDATE directives SET status = %s, status_reason = %s, updated_at = now() WHERE id = %s",
        [status, STOPPED.get(status), directive],
    )
    say(connection, directive, f"directive.{SAID.get(status, status)}")


def ask(connection: Connection, directive: UUID, **changes: Any) -> UUID:
    """Open an approval request."""
    row = {
        "id": uuid4(),
        "directive_id": directive,
        "action_digest": DIGEST,
        "policy_version": "1",
        "policy_digest": POLICY,
        "required_approvals": 1,
        "allow_self_approval": False,
        "approver_groups": Jsonb([]),
        "rules": Jsonb([]),
        **changes,
    }
    insert(connection, "approval_requests", row | {"expires_at": "tomorrow"} | changes)
    return UUID(str(row["id"]))


def vote(connection: Connection, request: UUID, voter: str, **changes: Any) -> None:
    """Cast a vote."""
    row = {
        "request_id": request,
        "voter": voter,
        "decision": "approve",
        "reason": "because",
        "action_digest": DIGEST,
        "token_id": token_of(voter),
    }
    insert(connection, "approval_votes", row | changes)


def put_vote(connection: Connection, request: ApprovalRequest, vote: Vote) -> None:
    """Write a vote as it is."""
    insert(connection, "approval_votes", asdict(vote) | {"request_id": request.id})


def resolve(connection: Connection, request: UUID, status: str) -> None:
    """Give an approval request its next status."""
    connection.execute(
        "UPDATE approval_requests SET status = %s, resolved_at = coalesce(resolved_at, now())"
        " WHERE id = %s",
        [status, request],
    )


def grant(connection: Connection, directive: UUID, **changes: Any) -> UUID:
    """Issue a grant; one by policy, unless told otherwise."""
    row = {
        "id": uuid4(),
        "directive_id": directive,
        "action_digest": DIGEST,
        "policy_version": "1",
        "policy_digest": POLICY,
        "module": "echo",
        "votes": Jsonb([]),
        "expires_at": "tomorrow",
        **changes,
    }
    insert(connection, "grants", row)
    return UUID(str(row["id"]))


def begin(connection: Connection, directive: UUID, grant_id: UUID, **changes: Any) -> UUID:
    """Create a run."""
    run = uuid4()
    row = {
        "id": run,
        "directive_id": directive,
        "grant_id": grant_id,
        "module": "echo",
        "module_version": "1",
        "idempotency_key": str(run),
        "status": "pending",
    }
    insert(connection, "execution_runs", row | changes)
    return run


def end(connection: Connection, run: UUID, status: str) -> None:
    """Give a run its next status."""
    connection.execute(
        "UPDATE execution_runs SET status = %(status)s, ended_at ="
        " CASE WHEN %(status)s <> 'running' THEN now() END WHERE id = %(run)s",
        {"status": status, "run": run},
    )


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert one row."""
    columns, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    row = {name: Jsonb(one) if isinstance(one, dict) else one for name, one in row.items()}
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})".encode(), row)  # noqa: S608 - names of the tests


def put_token(connection: Connection, owner: str, **changes: Any) -> None:
    """Write a token."""
    row = {
        "id": token_of(owner),
        "principal": owner,
        "hash": "0" * 64,
        "scopes": Jsonb([]),
        "created_by": "remit",
        "expires_at": "tomorrow",
    }
    insert(connection, "api_tokens", row | changes)


@dataclass
class World:
    """What there is, by status.

    Attributes:
        directives: two directives in each status, so that one statement can try both.
        requests: two approval requests in each status.
        runs: two runs in each status.
    """

    directives: dict[str, list[UUID]] = field(default_factory=dict)
    requests: dict[str, list[UUID]] = field(default_factory=dict)
    runs: dict[str, list[UUID]] = field(default_factory=dict)


def build_world(connection: Connection) -> World:
    """Make everything, as the service that is connected; the caller commits."""
    for name in PEOPLE:
        known = {"name": name, "kind": "human", "roles": Jsonb(["approver"]), "groups": Jsonb([])}
        insert(connection, "principals", known | {"created_by": "test"})
        put_token(connection, name)
    acting = {"name": AGENT, "kind": "agent", "roles": Jsonb([]), "groups": Jsonb([])}
    insert(connection, "principals", acting | {"acts_for": "carol", "created_by": "test"})
    put_token(connection, AGENT)
    world = World()
    for _ in range(2):
        for status in DIRECTIVE_STATUSES:
            world.directives.setdefault(status, []).append(live(connection, status))
        for status in REQUEST_STATUSES:
            world.requests.setdefault(status, []).append(asked(connection, status))
        for status in RUN_STATUSES:
            world.runs.setdefault(status, []).append(ran(connection, status))
    return world


def live(connection: Connection, status: str) -> UUID:
    """Make a directive and lead it to a status; no person takes part."""
    if status == "draft":
        return new_directive(connection, "draft")
    directive = new_directive(connection)
    if status in {"approved", "executing", "complete", "aborted"}:
        grant(connection, directive)
        move(connection, directive, "approved")
    if status in {"executing", "complete", "aborted"}:
        move(connection, directive, "executing")
    if status in {"complete", "aborted", "blocked"}:
        move(connection, directive, status)
    return directive


def asked(connection: Connection, status: str) -> UUID:
    """Make a directive that asked for approval, and lead the request to a status."""
    request = ask(connection, new_directive(connection))
    if status in {"approved", "consumed"}:
        vote(connection, request, "dave")
        resolve(connection, request, "approved")
    if status not in {"pending", "approved"}:
        resolve(connection, request, status)
    return request


def ran(connection: Connection, status: str) -> UUID:
    """Make a directive that executes, and lead its run to a status."""
    directive = new_directive(connection)
    granted = grant(connection, directive)
    move(connection, directive, "approved")
    move(connection, directive, "executing")
    run = begin(connection, directive, granted)
    if status == "completed":
        end(connection, run, "running")
    if status != "pending":
        end(connection, run, status)
    return run
