"""The search by meaning: what proposes candidates, and what ranks them. One statement.

The index is fast, but a graph: it may miss what few links lead to. A scan misses nothing, and is
fast enough when it reads the coarse embeddings alone. Both propose, and the whole vectors decide.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

EF_SEARCH = 400
"""How many each probe of the index proposes, and the breadth of its search."""

COARSE_CANDIDATES = 1000
"""How many the scan of the coarse embeddings proposes. `make bench` prints the recall of it all."""


def nearest(
    connection: sa.Connection, model: str, vector: Sequence[float], limit: int
) -> list[tuple[UUID, float]]:
    """Return the memories nearest to a vector, nearest first, equals in the order of their ids.

    Two probes of the model's index, which holds half-precision copies, and a scan of the coarse
    embeddings propose candidates; the whole vectors rank them. A question that lies between two
    clusters of memories would fill the first probe with whichever cluster it meets first, so the
    second one looks where the first has found nothing. Parts of the graph that no link leads to are
    found by the scan, which passes nothing over. Embeddings of other models are not looked at.

    The vector has 1,536 numbers and length 1. Each memory comes with the cosine of the angle, -1 to
    1. The settings of the search are local to the transaction.
    """
    connection.execute(_TUNE, {"breadth": str(EF_SEARCH)})
    values = {
        "model": model,
        "asked": written(vector),
        "candidates": EF_SEARCH,
        "coarse_candidates": COARSE_CANDIDATES,
        "limit": limit,
    }
    # Rounding may carry a cosine past its end.
    return [
        (row.memory_id, min(1.0, max(-1.0, 1 - row.distance)))
        for row in connection.execute(_NEAREST, values)
    ]


def written(vector: Sequence[float]) -> str:
    """Return a vector as Postgres reads it: nine digits are all that single precision holds."""
    return f"[{','.join(f'{number:.9g}' for number in vector)}]"


# A plan made for the model's own name: a general one could not know which index holds it. And by
# that index whatever the planner thinks of it: it takes two scans of the table, each with a
# conversion of every row, for cheaper than they are.
_TUNE = sa.text(
    """
    SELECT set_config('hnsw.ef_search', :breadth, true),
           set_config('enable_seqscan', 'off', true),
           set_config('enable_bitmapscan', 'off', true),
           set_config('plan_cache_mode', 'force_custom_plan', true)
    """
)

# The vector is cast to `vector` wherever it stands: its first cast decides how Postgres takes the
# parameter in, and what was taken in as half precision would rank by half precision. `away` is what
# is left of the question without the mean of what the first probe found. `model || ''` is no
# column, so that no index serves `coarse`: a scan of the table is all that is left, and the best.
# What is given is the distance that it is ordered by: any other number would be computed besides,
# and each vector be read in twice.
_NEAREST = sa.text(
    """
    WITH first AS MATERIALIZED (
        SELECT memory_id, embedding FROM memory_embeddings WHERE model = :model
        ORDER BY CAST(l2_normalize(embedding) AS halfvec(1536))
            <-> CAST(l2_normalize(CAST(:asked AS vector(1536))) AS halfvec(1536))
        LIMIT :candidates
    ), away AS MATERIALIZED (
        SELECT CAST(
            l2_normalize(CAST(:asked AS vector(1536)) - l2_normalize(avg(embedding)))
            AS halfvec(1536)
        ) AS direction
        FROM first
    ), second AS MATERIALIZED (
        SELECT memory_id, embedding FROM memory_embeddings WHERE model = :model
        ORDER BY CAST(l2_normalize(embedding) AS halfvec(1536)) <-> (SELECT direction FROM away)
        LIMIT :candidates
    ), coarse AS MATERIALIZED (
        SELECT memory_id, embedding FROM memory_embeddings WHERE model || '' = :model
        ORDER BY coarse_embedding <-> CAST(
            subvector(l2_normalize(CAST(:asked AS vector(1536))), 1, 128)
            AS halfvec(128)
        )
        LIMIT :coarse_candidates
    ), proposed AS (
        SELECT * FROM first UNION ALL SELECT * FROM second UNION ALL SELECT * FROM coarse
    ), candidates AS (
        SELECT DISTINCT ON (memory_id) memory_id, embedding FROM proposed ORDER BY memory_id
    )
    SELECT memory_id, embedding <=> CAST(:asked AS vector(1536)) AS distance
    FROM candidates
    ORDER BY distance, memory_id
    LIMIT :limit
    """
)
