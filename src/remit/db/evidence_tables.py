"""The schema's last page: evidence and memory, boxes 5 and 6 of the loop.

Nothing here is ever changed or removed by a service. See `remit.db.identity_tables`, the first
page, for what holds for all of them.
"""

import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC, VECTOR

from remit.db import execution_tables, tables
from remit.db.columns import check, id_, json, key, metadata, one_of, ref, stamped, text
from remit.vocabulary import ArtifactType, ReadOutcome

EMBEDDING_DIMENSIONS = 1536
COARSE_DIMENSIONS = 128
"""How many numbers of an embedding, the first ones, are its coarse embedding."""

_GOVERNED = (tables.directives, execution_tables.execution_runs)
# 5 evidence. `content` holds what an artifact has besides its metadata, up to 64 KB; the metadata
# names it by its digest, wherever it lies.
artifacts = sa.Table(
    "artifacts",
    metadata,
    id_(),
    text("type"),
    text("uri"),
    ref("directive_id", "directives.id", nullable=True),
    ref("run_id", "execution_runs.id", nullable=True),
    json("metadata"),
    text("digest"),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=True),
    json("envelope", nullable=True),
    stamped("created_at"),
    one_of("type", ArtifactType),
    check("content_is_small", "octet_length(content) <= 65536"),
    check(
        "content_as_named",
        "content IS NULL OR COALESCE(metadata #>> '{content_ref,digest}' = "
        "'sha256:' || encode(sha256(content), 'hex'), false)",
    ),
    sa.Index(None, "directive_id"),
    sa.Index(None, "type", "created_at"),
)

# A trigger fills seq, occurred_at, prev_hash and hash, so that no writer can break the chain.
# The nil UUID stands for the installation itself, whose chain tells of principals and tokens.
events = sa.Table(
    "events",
    metadata,
    sa.Column("directive_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    text("type"),
    text("actor"),
    json("data"),
    stamped("occurred_at"),
    text("prev_hash"),
    text("hash"),
)

# 6 recall. A memory cites the completed run that it comes from, or the admin who wrote it.
memories = sa.Table(
    "memories",
    metadata,
    id_(),
    text("scope"),
    text("content"),
    text("digest"),
    ref("directive_id", "directives.id", nullable=True),
    ref("run_id", "execution_runs.id", nullable=True),
    text("created_by"),
    json("envelope", nullable=True),
    stamped("created_at"),
    check("scope_is_short", "length(scope) BETWEEN 1 AND 200"),
    check("content_is_short", "length(content) BETWEEN 1 AND 8192"),
    check("run_has_directive", "(directive_id IS NULL) = (run_id IS NULL)"),
    sa.UniqueConstraint("run_id", "scope", "digest", postgresql_nulls_not_distinct=True),
    *(sa.Index(None, *names) for names in (("scope", "created_at"), ("created_at",))),
)

# One HNSW index for each model, made when its first embedding is stored: vectors of two models are
# never compared, and no filter costs recall. The coarse embedding is the beginning of the whole
# one; it lies in the row itself, where a scan reads it fast.
memory_embeddings = sa.Table(
    "memory_embeddings",
    metadata,
    sa.Column("memory_id", sa.Uuid, sa.ForeignKey("memories.id"), primary_key=True),
    key("model"),
    sa.Column("embedding", VECTOR(EMBEDDING_DIMENSIONS), nullable=False),
    sa.Column(
        "coarse_embedding",
        HALFVEC(COARSE_DIMENSIONS),
        sa.Computed(
            f"subvector(l2_normalize(embedding), 1, {COARSE_DIMENSIONS})"
            f"::halfvec({COARSE_DIMENSIONS})",
            persisted=True,
        ),
    ),
    stamped("created_at"),
    check("model_is_named", "length(model) BETWEEN 1 AND 200"),
    check("embedding_has_direction", "vector_norm(embedding) > 0"),
)

# Who asked memory what, and how many answers there were.
memory_reads = sa.Table(
    "memory_reads",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *map(text, ("principal", "reader", "query")),
    json("asked"),
    text("outcome"),
    sa.Column("result_count", sa.Integer, nullable=True),
    stamped("created_at"),
    one_of("outcome", ReadOutcome),
    check("answered_has_count", "(outcome = 'answered') = (result_count IS NOT NULL)"),
    sa.Index(None, "principal", "created_at"),
)
