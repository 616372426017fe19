"""The whole schema on one page.

Migrations build exactly this, and a test compares the two. Text columns hold words from closed
lists; each list is a CHECK here and a `Literal` in the package that owns the word, and a test holds
those equal too. All times are `timestamptz`, stamped by the database's own clock.

Only repositories and mutators import this module.
"""

import sqlalchemy as sa
from pgvector.sqlalchemy import VECTOR
from sqlalchemy.dialects.postgresql import JSONB

EMBEDDING_DIMENSIONS = 1536
"""Length of every stored embedding."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _stamped(name: str) -> sa.Column[object]:
    now = sa.func.now()
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=now)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, JSONB(none_as_null=True), nullable=nullable)


def _ref(name: str, target: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, sa.ForeignKey(target), nullable=nullable)


def _one_of(column: str, words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


agent_roles = sa.Table(
    "agent_roles",
    metadata,
    sa.Column("role_name", sa.Text, primary_key=True),
    _text("current_impl", nullable=True),
    _text("status"),
    _time("last_review", nullable=True),
    _stamped("created_at"),
)

# 1 intent. The ten content columns are frozen once the directive leaves `draft`.
directives = sa.Table(
    "directives",
    metadata,
    _id(),
    _text("role"),
    _text("type"),
    _json("payload"),
    _text("issued_by"),
    _text("objective"),
    _text("scope"),
    _json("constraints", nullable=True),
    _json("success_metrics", nullable=True),
    _text("budget", nullable=True),
    _text("timebox", nullable=True),
    sa.Column("status", sa.Text, nullable=False, server_default="draft"),
    _text("status_reason", nullable=True),
    _text("action_digest", nullable=True),
    _text("idempotency_key", nullable=True),
    _stamped("created_at"),
    _stamped("updated_at"),
    _one_of("status", "draft proposed approved executing complete blocked aborted"),
    _one_of(
        "status_reason",
        "policy rejected expired canceled "
        "approval_expired policy_changed action_changed approval_unverifiable "
        "module_failed module_error timed_out attempts_exhausted",
    ),
    sa.CheckConstraint(
        "(status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL)",
        name="reason_when_stopped",
    ),
    sa.CheckConstraint(
        "status = 'draft' OR action_digest IS NOT NULL", name="digest_once_proposed"
    ),
    *(
        sa.CheckConstraint(f"jsonb_typeof({name}) = 'object'", name=f"{name}_is_object")
        for name in ("payload", "constraints", "success_metrics")
    ),
    sa.UniqueConstraint("issued_by", "idempotency_key"),
    sa.Index(None, "status", "updated_at"),
    sa.Index(None, "created_at"),
)

# 3 consent. A request asks; votes answer; a grant is what an approval leaves behind.
approval_requests = sa.Table(
    "approval_requests",
    metadata,
    _id(),
    _ref("directive_id", "directives.id"),
    _text("action_digest"),
    _text("policy_version"),
    _text("policy_digest"),
    sa.Column("status", sa.Text, nullable=False, server_default="pending"),
    sa.Column("required_approvals", sa.Integer, nullable=False),
    sa.Column("allow_self_approval", sa.Boolean, nullable=False),
    _json("approver_groups"),
    _json("rules"),
    _stamped("requested_at"),
    _time("expires_at"),
    _time("resolved_at", nullable=True),
    _one_of("status", "pending approved rejected expired canceled invalidated consumed"),
    sa.CheckConstraint("required_approvals >= 1", name="someone_must_approve"),
    sa.Index(
        "uq_approval_requests_pending",
        "directive_id",
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index("ix_approval_requests_directive_id", "directive_id"),
)

approval_votes = sa.Table(
    "approval_votes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _ref("request_id", "approval_requests.id"),
    _text("voter"),
    _text("decision"),
    _text("reason", nullable=True),
    _text("action_digest"),
    _stamped("cast_at"),
    _one_of("decision", "approve reject"),
    sa.CheckConstraint("decision = 'approve' OR reason IS NOT NULL", name="rejection_has_reason"),
    sa.Index(None, "request_id"),
)

grants = sa.Table(
    "grants",
    metadata,
    _id(),
    _ref("directive_id", "directives.id"),
    _ref("request_id", "approval_requests.id", nullable=True),
    _text("action_digest"),
    _text("policy_version"),
    _text("policy_digest"),
    _text("module"),
    _json("votes"),
    sa.Column("budget", sa.Numeric(14, 2), nullable=True),
    _stamped("issued_at"),
    _time("expires_at"),
    _time("voided_at", nullable=True),
    _text("void_reason", nullable=True),
    _one_of(
        "void_reason",
        "approval_expired policy_changed action_changed approval_unverifiable canceled",
    ),
    sa.CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void_has_reason"),
    sa.Index(None, "directive_id"),
)

# 4 act. `grant_id` is unique: that is how a grant is consumed once.
execution_runs = sa.Table(
    "execution_runs",
    metadata,
    _id(),
    _ref("directive_id", "directives.id"),
    _ref("grant_id", "grants.id"),
    _text("module"),
    _text("module_version"),
    sa.Column("status", sa.Text, nullable=False, server_default="pending"),
    _text("idempotency_key"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    _json("result", nullable=True),
    _text("error_type", nullable=True),
    _text("error_message", nullable=True),
    _stamped("created_at"),
    _time("started_at", nullable=True),
    _time("ended_at", nullable=True),
    _one_of("status", "pending running completed failed canceled"),
    sa.CheckConstraint(
        "(status IN ('completed', 'failed', 'canceled')) = (ended_at IS NOT NULL)",
        name="end_is_stamped",
    ),
    sa.UniqueConstraint("grant_id"),
    sa.UniqueConstraint("idempotency_key"),
    sa.Index(None, "directive_id"),
)

# 5 evidence.
artifacts = sa.Table(
    "artifacts",
    metadata,
    _id(),
    _text("type"),
    _text("uri"),
    _ref("directive_id", "directives.id", nullable=True),
    _ref("run_id", "execution_runs.id", nullable=True),
    _json("metadata"),
    _text("digest"),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    _stamped("created_at"),
    sa.Index(None, "directive_id"),
    sa.Index(None, "type", "created_at"),
)

# A trigger fills seq, occurred_at, prev_hash and hash, so that no writer can break the chain.
events = sa.Table(
    "events",
    metadata,
    sa.Column("directive_id", sa.Uuid, sa.ForeignKey("directives.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    _text("type"),
    _text("actor"),
    _json("data"),
    _stamped("occurred_at"),
    _text("prev_hash"),
    _text("hash"),
)

# 6 recall.
memories = sa.Table(
    "memories",
    metadata,
    _id(),
    _text("scope"),
    _text("content"),
    _stamped("created_at"),
)

memory_embeddings = sa.Table(
    "memory_embeddings",
    metadata,
    sa.Column("memory_id", sa.Uuid, sa.ForeignKey("memories.id"), primary_key=True),
    sa.Column("embedding", VECTOR(EMBEDDING_DIMENSIONS), nullable=False),
    _stamped("created_at"),
)
