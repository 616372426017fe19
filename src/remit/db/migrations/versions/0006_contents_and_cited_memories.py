"""Contents of artifacts, memories that cite what they come from, and a record of every read.

A vector belongs to the model that made it: each model gets an index of its own, by a function that
services may call, since only the owner of a table can index it. The beginning of each vector lies in
its row, for what no index leads to.

A migration is frozen once released: it spells everything out and imports nothing of Remit.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
READABLE = "{0} >= '1900-01-01 00:00:00+00' AND {0} < '9000-01-01 00:00:00+00'"
TYPES = (
    "type IN ('policy_evaluation', 'execution_start', 'execution_checkpoint', 'execution_end', "
    "'module_output', 'attachment', 'llm_call', 'llm_usage')"
)
NAMED = (
    "content IS NULL OR COALESCE(metadata #>> '{content_ref,digest}' = "
    "'sha256:' || encode(sha256(content), 'hex'), false)"
)
# Nothing of Remit wrote memories before this; whatever is there was put by hand.
CITE = """
UPDATE memories SET
    digest = 'sha256:' || encode(sha256(convert_to(content, 'UTF8')), 'hex'),
    created_by = 'remit'
"""


def upgrade() -> None:
    """Add the columns, the table of reads, the rules and the rights."""
    op.add_column("artifacts", sa.Column("content", sa.LargeBinary(), nullable=True))
    _check("artifacts", "type_known", TYPES)
    _check("artifacts", "content_is_small", "octet_length(content) <= 65536")
    _check("artifacts", "content_as_named", NAMED)
    _memories()
    _memory_embeddings()
    _memory_reads()
    _execute("0006_memory.sql")


def downgrade() -> None:
    """Take all of it back; memories and embeddings of more than one model lose what tells them."""
    _execute("0006_memory_undone.sql")
    op.drop_table("memory_reads")
    op.execute(
        "DELETE FROM memory_embeddings AS later USING memory_embeddings AS kept "
        "WHERE later.memory_id = kept.memory_id AND later.model > kept.model"
    )
    op.drop_constraint(op.f("pk_memory_embeddings"), "memory_embeddings")
    _drop_check("memory_embeddings", "model_is_named", "embedding_has_direction")
    op.drop_column("memory_embeddings", "coarse_embedding")
    op.drop_column("memory_embeddings", "model")
    op.create_primary_key(op.f("pk_memory_embeddings"), "memory_embeddings", ["memory_id"])
    op.drop_index(op.f("ix_memories_scope_created_at"), "memories")
    op.drop_index(op.f("ix_memories_created_at"), "memories")
    op.drop_constraint(op.f("uq_memories_run_id_scope_digest"), "memories")
    _drop_check("memories", "scope_is_short", "content_is_short", "run_has_directive")
    for column in ("digest", "directive_id", "run_id", "created_by"):
        op.drop_column("memories", column)
    _drop_check("artifacts", "type_known", "content_is_small", "content_as_named")
    op.drop_column("artifacts", "content")


def _memories() -> None:
    op.add_column("memories", sa.Column("digest", sa.Text(), nullable=True))
    op.add_column("memories", sa.Column("directive_id", sa.Uuid(), nullable=True))
    op.add_column("memories", sa.Column("run_id", sa.Uuid(), nullable=True))
    op.add_column("memories", sa.Column("created_by", sa.Text(), nullable=True))
    op.execute(CITE)
    op.alter_column("memories", "digest", nullable=False)
    op.alter_column("memories", "created_by", nullable=False)
    for column, target in (("directive_id", "directives"), ("run_id", "execution_runs")):
        name = op.f(f"fk_memories_{column}")
        op.create_foreign_key(name, "memories", target, [column], ["id"])
    _check("memories", "scope_is_short", "length(scope) BETWEEN 1 AND 200")
    _check("memories", "content_is_short", "length(content) BETWEEN 1 AND 8192")
    _check("memories", "run_has_directive", "(directive_id IS NULL) = (run_id IS NULL)")
    op.create_unique_constraint(
        op.f("uq_memories_run_id_scope_digest"),
        "memories",
        ["run_id", "scope", "digest"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("ix_memories_scope_created_at"), "memories", ["scope", "created_at"])
    op.create_index(op.f("ix_memories_created_at"), "memories", ["created_at"])


def _memory_embeddings() -> None:
    op.add_column("memory_embeddings", sa.Column("model", sa.Text(), nullable=True))
    op.execute("UPDATE memory_embeddings SET model = 'unknown'")
    op.alter_column("memory_embeddings", "model", nullable=False)
    op.drop_constraint(op.f("pk_memory_embeddings"), "memory_embeddings")
    op.create_primary_key(op.f("pk_memory_embeddings"), "memory_embeddings", ["memory_id", "model"])
    _check("memory_embeddings", "model_is_named", "length(model) BETWEEN 1 AND 200")
    _check("memory_embeddings", "embedding_has_direction", "vector_norm(embedding) > 0")
    coarse = sa.Computed("subvector(l2_normalize(embedding), 1, 128)::halfvec(128)", persisted=True)
    op.add_column("memory_embeddings", sa.Column("coarse_embedding", HALFVEC(128), coarse))


def _memory_reads() -> None:
    now = sa.text("now()")
    op.create_table(
        "memory_reads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("asked", JSONB(none_as_null=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("result_count", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.CheckConstraint(
            READABLE.format("created_at"), name=op.f("ck_memory_reads_created_at_readable")
        ),
        sa.CheckConstraint(
            "outcome IN ('answered', 'refused', 'failed')",
            name=op.f("ck_memory_reads_outcome_known"),
        ),
        sa.CheckConstraint(
            "(outcome = 'answered') = (result_count IS NOT NULL)",
            name=op.f("ck_memory_reads_answered_has_count"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_reads")),
    )
    name = op.f("ix_memory_reads_principal_created_at")
    op.create_index(name, "memory_reads", ["principal", "created_at"])


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _drop_check(table: str, *names: str) -> None:
    for name in names:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)


def _execute(name: str) -> None:
    # Without parameters, so that the file may hold many statements, and percent signs.
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})
