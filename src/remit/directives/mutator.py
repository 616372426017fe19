"""The one place that writes `directives.status`. Operations alone call it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, limited
from remit.db.tables import directives
from remit.directives.lifecycle import validate_transition
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError
from remit.telemetry.rows import read_row
from remit.vocabulary import DirectiveStatus, StatusReason


def moves(
    targets: Mapping[UUID, tuple[DirectiveStatus, StatusReason | None]], *, current: DirectiveStatus
) -> BatchStatement:
    """Return the write that moves directives from `current`, each to its target for its reason.

    A statement that depends on it reads `moved (id)`.

    Raises:
        IllegalTransitionError: the lifecycle does not allow it.
    """
    for target, _ in targets.values():
        validate_transition(current, target)
    rows: list[JsonObject] = [
        {"id": str(directive_id), "current": current, "target": target, "reason": reason}
        for directive_id, (target, reason) in targets.items()
    ]
    return BatchStatement(
        "moved", _MOVE, rows, "a directive has changed meanwhile; look at it and try again"
    )


def claim_directives(
    connection: sa.Connection, directive_ids: Sequence[UUID], *, grounds: str
) -> list[tuple[DirectiveRead, JsonObject | None, datetime]]:
    """Make approved directives, at least one, `executing`; read the grounds in the same statement.

    `grounds` is an SQL value of type `jsonb` about the row `directive`. If the statement had to
    wait for a lock, it may have missed what was written meanwhile; the caller looks again.

    Returns:
        Each directive, with the grounds, None when there were none, and the database's clock once
        the lock was held, by which time limits are judged.

    Raises:
        ConflictError: one of them is not approved; nothing may be committed.
    """
    validate_transition("approved", "executing")
    rows = connection.exec_driver_sql(
        f"{_CLAIM} {grounds} AS grounds, {_JUDGED}",
        {"ids": list(directive_ids)},
    ).all()
    if len(rows) != len(directive_ids):
        raise ConflictError("a directive is not approved; look at it and try again")
    return [
        (
            read_row(
                {"id": row.id, "claimed": row.claimed},
                lambda read: DirectiveRead.from_row(read["claimed"]),
                "directives",
            ),
            row.grounds,
            row.judged_at,
        )
        for row in rows
    ]


def transition_directive_status(
    connection: sa.Connection,
    directive_ids: Sequence[UUID],
    *,
    current: DirectiveStatus,
    target: DirectiveStatus,
    reason: StatusReason | None = None,
) -> list[DirectiveRead]:
    """Move directives from `current` to `target`, all or none; return them as they now are.

    Raises:
        IllegalTransitionError: the lifecycle does not allow it.
        ConflictError: one of them no longer has the status `current`; nothing may be committed.
    """
    validate_transition(current, target)
    rows = connection.execute(
        _TRANSITION,
        {"ids": list(directive_ids), "current": current, "target": target, "reason": reason},
    )
    moved = [read_row(row._mapping, DirectiveRead.from_row, "directives") for row in rows]
    if len(moved) != len(directive_ids):
        raise ConflictError(
            f"a directive that was {current} has changed meanwhile; look at it and try again"
        )
    return moved


def doubt_directive(connection: sa.Connection, directive_id: UUID) -> None:
    """Say of a directive that executes that nobody knows how its run ended.

    Raises:
        ConflictError: it does not execute, or this is said already; nothing may be committed.
    """
    done = connection.execute(_DOUBT, {"directive_id": directive_id})
    if done.rowcount != 1:
        raise ConflictError(f"directive {directive_id} has changed meanwhile; look at it again")


_GIVEN: Mapping[str, str] = {"current": "text", "target": "text", "reason": "text"}
_MOVE = f"""
    UPDATE directives AS directive
    SET status = new.target, status_reason = new.reason, updated_at = now()
    FROM {limited("moved", directives, ["id"], _GIVEN)}
    WHERE directive.id = new.id AND directive.status = new.current
    RETURNING directive.id
"""  # noqa: S608 - constants
_CLAIM = """
    UPDATE directives AS directive
    SET status = 'executing', status_reason = NULL, updated_at = now()
    WHERE directive.id = ANY(%(ids)s) AND directive.status = 'approved'
    RETURNING directive.id, to_jsonb(directive) AS claimed,
"""
_JUDGED = "clock_timestamp() AS judged_at"
_TRANSITION = (
    sa.update(directives)
    .where(
        directives.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))),
        directives.c.status == sa.bindparam("current"),
    )
    .values(
        status=sa.bindparam("target"),
        status_reason=sa.bindparam("reason"),
        updated_at=sa.func.now(),
    )
    .returning(directives)
)
_DOUBT = (
    sa.update(directives)
    .where(
        directives.c.id == sa.bindparam("directive_id"),
        directives.c.status == "executing",
        directives.c.status_reason.is_(None),
    )
    .values(status_reason="in_doubt", updated_at=sa.func.now())
)
