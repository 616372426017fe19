"""The schema's third page: those who execute, and what they ran, box 4 of the loop.

See `remit.db.identity_tables`, the first page, for what holds for all of them.
"""

import sqlalchemy as sa

from remit.db import tables
from remit.db.columns import (
    check,
    id_,
    json,
    json_is,
    key,
    metadata,
    money,
    one_of,
    ref,
    stamped,
    text,
    time,
)
from remit.vocabulary import AttemptOutcome, RunStatus

_GOVERNED = (tables.directives, tables.grants)
# Each process that executes, with the public key of what it says about runs and the digest of each
# module that it has, by name; certified by the installation. It lives while its lease, which it
# renews, is not over.
workers = sa.Table(
    "workers",
    metadata,
    id_(),
    *map(text, ("kid", "public_key")),
    *map(json, ("modules", "envelope")),
    stamped("started_at"),
    time("lease_until"),
    time("ended_at", nullable=True),
    json_is("modules", "object"),
    sa.UniqueConstraint("kid"),
    sa.Index(None, "lease_until"),
)

# Every version of a module that a worker announced: a grant binds to the digest of one. Who
# announced it last is None for what was announced before workers had rows.
modules = sa.Table(
    "modules",
    metadata,
    key("name"),
    key("digest"),
    *map(text, ("version", "summary")),
    stamped("announced_at"),
    ref("announced_by", "workers.id", nullable=True),
)

# 4 act. `grant_id` is unique: that is how a grant is consumed once.
execution_runs = sa.Table(
    "execution_runs",
    metadata,
    id_(),
    ref("directive_id", "directives.id"),
    ref("grant_id", "grants.id"),
    text("module"),
    text("module_version"),
    text("status", default="pending"),
    text("idempotency_key"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    json("result", nullable=True),
    text("error_type", nullable=True),
    text("error_message", nullable=True),
    json("envelope", nullable=True),
    stamped("created_at"),
    time("started_at", nullable=True),
    time("ended_at", nullable=True),
    one_of("status", RunStatus),
    check(
        "end_is_stamped", "(status IN ('completed', 'failed', 'canceled')) = (ended_at IS NOT NULL)"
    ),
    *(sa.UniqueConstraint(name) for name in ("grant_id", "idempotency_key")),
    sa.Index(None, "directive_id"),
)

# One row for each time that a run was begun: by whom, and how it ended. `envelope` is what
# its worker signed about the end; an attempt without one has not ended, or nobody knows how.
execution_attempts = sa.Table(
    "execution_attempts",
    metadata,
    sa.Column("run_id", sa.Uuid, sa.ForeignKey("execution_runs.id"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    ref("worker_id", "workers.id"),
    stamped("started_at"),
    time("ended_at", nullable=True),
    text("outcome", nullable=True),
    money("cost", nullable=True),
    json("envelope", nullable=True),
    one_of("outcome", AttemptOutcome),
    check("attempt_is_one", "attempt >= 1"),
    check("cost_is_an_amount", "cost >= 0"),
    check("end_is_said", "(ended_at IS NULL) = (outcome IS NULL)"),
    check("end_is_signed", "(ended_at IS NULL) = (envelope IS NULL)"),
    sa.Index(None, "worker_id"),
)
