"""Evidence and recall: artifacts, the chained event log, memories and their embeddings.

A migration is frozen once released: it spells everything out and imports nothing of Remit.
"""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import VECTOR
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Each event covers the hash of the one before it, so that a changed row breaks every later one.
# `remit.audit.chain` computes the same hash in Python, to verify.
CHAIN_EVENTS = """
CREATE FUNCTION remit_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    SELECT seq, hash INTO head FROM events
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
TRIGGER = """
CREATE TRIGGER remit_chain_event BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION remit_chain_event()
"""
TABLES = ("artifacts", "events", "memories", "memory_embeddings")


def _stamped(name: str) -> sa.Column[object]:
    now = sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def upgrade() -> None:
    """Make the tables and the trigger that chains the events."""
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    _artifacts()
    _events()
    _memories()
    _memory_embeddings()
    op.execute(CHAIN_EVENTS)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Remove these tables and all they hold; the vector extension stays."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION remit_chain_event()")


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("directive_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("metadata", JSONB(none_as_null=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        _stamped("created_at"),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_artifacts_directive_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["execution_runs.id"], name=op.f("fk_artifacts_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
    )
    op.create_index(op.f("ix_artifacts_directive_id"), "artifacts", ["directive_id"], unique=False)
    op.create_index(
        op.f("ix_artifacts_type_created_at"), "artifacts", ["type", "created_at"], unique=False
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("directive_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", JSONB(none_as_null=True), nullable=False),
        _stamped("occurred_at"),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directives.id"], name=op.f("fk_events_directive_id")
        ),
        sa.PrimaryKeyConstraint("directive_id", "seq", name=op.f("pk_events")),
    )


def _memories() -> None:
    op.create_table(
        "memories",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        _stamped("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memories")),
    )


def _memory_embeddings() -> None:
    op.create_table(
        "memory_embeddings",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("embedding", VECTOR(1536), nullable=False),
        _stamped("created_at"),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], name=op.f("fk_memory_embeddings_memory_id")
        ),
        sa.PrimaryKeyConstraint("memory_id", name=op.f("pk_memory_embeddings")),
    )
