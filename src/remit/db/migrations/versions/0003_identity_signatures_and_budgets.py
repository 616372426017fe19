"""Who acts, what is signed, and what may be spent.

A migration is frozen once released: it spells everything out and imports nothing of Remit.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("principals", "api_tokens", "modules", "budget_accounts", "budget_entries")
"""The new ones, referenced ones first."""

MOMENTS: Mapping[str, str] = {
    "agent_roles": "last_review created_at",
    "principals": "created_at disabled_at",
    "api_tokens": "created_at expires_at revoked_at",
    "modules": "announced_at",
    "directives": "created_at updated_at",
    "approval_requests": "requested_at expires_at resolved_at",
    "approval_votes": "cast_at",
    "grants": "issued_at expires_at voided_at",
    "budget_entries": "period_start created_at",
    "execution_runs": "created_at started_at ended_at",
    "artifacts": "created_at",
    "events": "occurred_at",
    "memories": "created_at",
    "memory_embeddings": "created_at",
}
"""Every moment that is kept, by table: none of them may be one that no reader can hold."""

REASONS = (
    "status_reason IN ('policy', 'rejected', 'expired', 'canceled', 'approval_expired', "
    "'policy_changed', 'action_changed', 'approval_unverifiable', {more}'module_failed', "
    "'module_error', 'timed_out', 'attempts_exhausted')"
)

# The nil UUID is the installation's own chain, which no directive's row lock orders.
CHAIN_EVENTS = """
CREATE OR REPLACE FUNCTION remit_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    {lock}SELECT seq, hash INTO head FROM events
        WHERE directive_id = NEW.directive_id ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(head.seq, 0) + 1;
    NEW.prev_hash := coalesce(head.hash, 'genesis');
    NEW.occurred_at := clock_timestamp();
    NEW.hash := 'sha256:' || encode(sha256(convert_to(jsonb_build_array(
        NEW.prev_hash, NEW.directive_id, NEW.seq, NEW.type, NEW.actor,
        to_char(NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.data
    )::text, 'UTF8')), 'hex');
    RETURN NEW;
END
$$
"""
LOCK = """IF NEW.directive_id = '00000000-0000-0000-0000-000000000000' THEN
        PERFORM pg_advisory_xact_lock(7239113407);
    END IF;
    """


def _stamped(name: str) -> sa.Column[object]:
    now = sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Make the new tables, and give votes and grants their signatures."""
    _principals()
    _api_tokens()
    _modules()
    _budgets()
    op.add_column(
        "approval_requests",
        sa.Column("rejection_ends", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("approval_votes", sa.Column("envelope", JSONB(none_as_null=True)))
    op.add_column("grants", sa.Column("envelope", JSONB(none_as_null=True)))
    for name in ("module_version", "module_digest"):
        op.add_column("grants", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column(
        "grants",
        sa.Column("required_approvals", sa.Integer(), server_default="0", nullable=False),
    )
    _know_reasons("'budget_exhausted', ")
    op.drop_constraint("fk_events_directive_id", "events")
    op.execute(CHAIN_EVENTS.format(lock=LOCK))
    op.create_check_constraint(
        op.f("ck_grants_votes_is_array"), "grants", "jsonb_typeof(votes) = 'array'"
    )
    for table, names in MOMENTS.items():
        for name in names.split():
            op.create_check_constraint(
                op.f(f"ck_{table}_{name}_readable"),
                table,
                f"{name} >= '1900-01-01 00:00:00+00' AND {name} < '9000-01-01 00:00:00+00'",
            )


def downgrade() -> None:
    """Remove these tables and columns, and the installation's own chain."""
    for table, names in MOMENTS.items():
        for name in names.split():
            op.drop_constraint(op.f(f"ck_{table}_{name}_readable"), table)
    op.drop_constraint(op.f("ck_grants_votes_is_array"), "grants")
    op.execute(CHAIN_EVENTS.format(lock=""))
    op.execute("DELETE FROM events WHERE directive_id = '00000000-0000-0000-0000-000000000000'")
    op.create_foreign_key(
        "fk_events_directive_id", "events", "directives", ["directive_id"], ["id"]
    )
    op.execute(
        "UPDATE directives SET status_reason = 'policy' WHERE status_reason = 'budget_exhausted'"
    )
    _know_reasons("")
    for name in ("required_approvals", "module_digest", "module_version", "envelope"):
        op.drop_column("grants", name)
    op.drop_column("approval_votes", "envelope")
    op.drop_column("approval_requests", "rejection_ends")
    for table in reversed(TABLES):
        op.drop_table(table)


def _know_reasons(more: str) -> None:
    name = "ck_directives_status_reason_known"
    op.drop_constraint(op.f(name), "directives")
    op.create_check_constraint(op.f(name), "directives", REASONS.format(more=more))


def _principals() -> None:
    op.create_table(
        "principals",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("roles", JSONB(none_as_null=True), nullable=False),
        sa.Column("groups", JSONB(none_as_null=True), nullable=False),
        sa.Column("acts_for", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        _stamped("created_at"),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("envelope", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('human', 'agent', 'service')", name=op.f("ck_principals_kind_known")
        ),
        sa.CheckConstraint(
            "name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'", name=op.f("ck_principals_name_is_plain")
        ),
        sa.CheckConstraint(
            "acts_for IS NULL OR kind <> 'human'",
            name=op.f("ck_principals_people_act_for_themselves"),
        ),
        *(
            sa.CheckConstraint(
                f"jsonb_typeof({name}) = 'array'", name=op.f(f"ck_principals_{name}_is_array")
            )
            for name in ("roles", "groups")
        ),
        sa.ForeignKeyConstraint(
            ["acts_for"], ["principals.name"], name=op.f("fk_principals_acts_for")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_principals")),
    )


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", JSONB(none_as_null=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _stamped("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("envelope", JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "jsonb_typeof(scopes) = 'array'", name=op.f("ck_api_tokens_scopes_is_array")
        ),
        sa.ForeignKeyConstraint(
            ["principal"], ["principals.name"], name=op.f("fk_api_tokens_principal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
    )
    op.create_index(op.f("ix_api_tokens_principal"), "api_tokens", ["principal"], unique=False)


def _modules() -> None:
    op.create_table(
        "modules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        _stamped("announced_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_modules")),
    )


def _budgets() -> None:
    _budget_accounts()
    _budget_entries()


def _budget_accounts() -> None:
    op.create_table(
        "budget_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.Numeric(14, 2), server_default="0", nullable=False)
            for name in ("reserved", "settled")
        ),
        sa.CheckConstraint(
            "reserved >= 0 AND settled >= 0", name=op.f("ck_budget_accounts_sums_are_amounts")
        ),
        sa.PrimaryKeyConstraint("account", "period_start", name=op.f("pk_budget_accounts")),
    )


def _budget_entries() -> None:
    op.create_table(
        "budget_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("ceiling", sa.Numeric(14, 2), nullable=True),
        _stamped("created_at"),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budget_entries_amount_is_one")),
        sa.CheckConstraint(
            "kind IN ('reserve', 'settle', 'release')", name=op.f("ck_budget_entries_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["account", "period_start"],
            ["budget_accounts.account", "budget_accounts.period_start"],
            name=op.f("fk_budget_entries_account"),
        ),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_budget_entries_directive_id")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.id"], name=op.f("fk_budget_entries_grant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_entries")),
    )
    op.create_index(op.f("ix_budget_entries_directive_id"), "budget_entries", ["directive_id"])
    for name, kinds in (("reserved", "kind = 'reserve'"), ("closed", "kind <> 'reserve'")):
        op.create_index(
            f"uq_budget_entries_{name}",
            "budget_entries",
            ["grant_id", "account"],
            unique=True,
            postgresql_where=sa.text(kinds),
        )
