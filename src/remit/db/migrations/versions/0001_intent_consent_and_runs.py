"""Intent, consent and action: directives, approvals, grants and runs.

A migration is frozen once released: it spells everything out and imports nothing of Remit.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "agent_roles",
    "directives",
    "approval_requests",
    "approval_votes",
    "grants",
    "execution_runs",
)


def _stamped(name: str) -> sa.Column[object]:
    now = sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Make the tables, referenced ones first."""
    _agent_roles()
    _directives()
    _approval_requests()
    _approval_votes()
    _grants()
    _execution_runs()


def downgrade() -> None:
    """Remove these tables and all they hold."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _agent_roles() -> None:
    op.create_table(
        "agent_roles",
        sa.Column("role_name", sa.Text(), nullable=False),
        sa.Column("current_impl", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("last_review", sa.DateTime(timezone=True), nullable=True),
        _stamped("created_at"),
        sa.PrimaryKeyConstraint("role_name", name=op.f("pk_agent_roles")),
    )


def _directives() -> None:
    op.create_table(
        "directives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(none_as_null=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("constraints", JSONB(none_as_null=True), nullable=True),
        sa.Column("success_metrics", JSONB(none_as_null=True), nullable=True),
        sa.Column("budget", sa.Text(), nullable=True),
        sa.Column("timebox", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("action_digest", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        _stamped("created_at"),
        _stamped("updated_at"),
        *_directive_checks(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directives")),
        sa.UniqueConstraint(
            "issued_by", "idempotency_key", name=op.f("uq_directives_issued_by_idempotency_key")
        ),
    )
    op.create_index(op.f("ix_directives_created_at"), "directives", ["created_at"], unique=False)
    op.create_index(
        op.f("ix_directives_status_updated_at"),
        "directives",
        ["status", "updated_at"],
        unique=False,
    )


def _directive_checks() -> list[sa.CheckConstraint]:
    return [
        *(
            sa.CheckConstraint(
                f"jsonb_typeof({name}) = 'object'", name=op.f(f"ck_directives_{name}_is_object")
            )
            for name in ("payload", "constraints", "success_metrics")
        ),
        sa.CheckConstraint(
            "(status IN ('blocked', 'aborted')) = (status_reason IS NOT NULL)",
            name=op.f("ck_directives_reason_when_stopped"),
        ),
        sa.CheckConstraint(
            "status = 'draft' OR action_digest IS NOT NULL",
            name=op.f("ck_directives_digest_once_proposed"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'proposed', 'approved', 'executing', 'complete', 'blocked', 'aborted')",
            name=op.f("ck_directives_status_known"),
        ),
        sa.CheckConstraint(
            "status_reason IN ('policy', 'rejected', 'expired', 'canceled', 'approval_expired', 'policy_changed', 'action_changed', 'approval_unverifiable', 'module_failed', 'module_error', 'timed_out', 'attempts_exhausted')",
            name=op.f("ck_directives_status_reason_known"),
        ),
    ]


def _approval_requests() -> None:
    op.create_table(
        "approval_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column("action_digest", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("required_approvals", sa.Integer(), nullable=False),
        sa.Column("allow_self_approval", sa.Boolean(), nullable=False),
        sa.Column("approver_groups", JSONB(none_as_null=True), nullable=False),
        sa.Column("rules", JSONB(none_as_null=True), nullable=False),
        _stamped("requested_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'expired', 'canceled', 'invalidated', 'consumed')",
            name=op.f("ck_approval_requests_status_known"),
        ),
        sa.CheckConstraint(
            "required_approvals >= 1", name=op.f("ck_approval_requests_someone_must_approve")
        ),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_approval_requests_directive_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_requests")),
    )
    op.create_index(
        "ix_approval_requests_directive_id", "approval_requests", ["directive_id"], unique=False
    )
    op.create_index(
        "uq_approval_requests_pending",
        "approval_requests",
        ["directive_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )


def _approval_votes() -> None:
    op.create_table(
        "approval_votes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("action_digest", sa.Text(), nullable=False),
        _stamped("cast_at"),
        sa.CheckConstraint(
            "decision = 'approve' OR reason IS NOT NULL",
            name=op.f("ck_approval_votes_rejection_has_reason"),
        ),
        sa.CheckConstraint(
            "decision IN ('approve', 'reject')", name=op.f("ck_approval_votes_decision_known")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_requests.id"], name=op.f("fk_approval_votes_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_votes")),
    )
    op.create_index(
        op.f("ix_approval_votes_request_id"), "approval_votes", ["request_id"], unique=False
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("action_digest", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("votes", JSONB(none_as_null=True), nullable=False),
        sa.Column("budget", sa.Numeric(precision=14, scale=2), nullable=True),
        _stamped("issued_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "void_reason IN ('approval_expired', 'policy_changed', 'action_changed', 'approval_unverifiable', 'canceled')",
            name=op.f("ck_grants_void_reason_known"),
        ),
        sa.CheckConstraint(
            "(voided_at IS NULL) = (void_reason IS NULL)", name=op.f("ck_grants_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_grants_directive_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_requests.id"], name=op.f("fk_grants_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_directive_id"), "grants", ["directive_id"], unique=False)


def _execution_runs() -> None:
    op.create_table(
        "execution_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("module_version", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        _stamped("created_at"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status IN ('completed', 'failed', 'canceled')) = (ended_at IS NOT NULL)",
            name=op.f("ck_execution_runs_end_is_stamped"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'canceled')",
            name=op.f("ck_execution_runs_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_execution_runs_directive_id")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.id"], name=op.f("fk_execution_runs_grant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution_runs")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_execution_runs_grant_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_execution_runs_idempotency_key")),
    )
    op.create_index(
        op.f("ix_execution_runs_directive_id"), "execution_runs", ["directive_id"], unique=False
    )
