"""Puts vectors into the real tables, and asks them in two ways: through the index, and without.

Rows are loaded in bulk, by the database's superuser. The index is made by Remit's own function once
they are there, since so many inserts would take too long, and it is asked by Remit's own too.
"""

import contextlib
import shutil
from collections.abc import Iterator
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from bench.recall_clusters import Vectors
from remit.db.engine import check_address
from remit.db.libpq import fixed_parameters
from remit.db.session import transaction
from remit.memory import repository
from remit.memory.nearest import written
from remit.memory.vector import as_direction
from remit.stack.postgres import SUPERUSER

NEAREST = 10
"""How many memories a question asks for."""

_MEGABYTES_FOR_BUILD = 1024  # the graph of 100,000 half-precision vectors takes 0.4 GB
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - nothing is written there; Postgres will

_MEMORIES = """
    INSERT INTO memories (id, scope, content, digest, created_by)
    SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'bench', 'memory ' || n,
        'sha256:' || encode(sha256(convert_to('memory ' || n, 'UTF8')), 'hex'), %s
    FROM generate_series(0, CAST(%s AS integer) - 1) AS n
"""

_EXACT = sa.text(
    """
    SELECT memory_id, 1 - (embedding <=> CAST(:asked AS vector(1536))) AS similarity
    FROM memory_embeddings WHERE model = :model
    ORDER BY embedding <=> CAST(:asked AS vector(1536)), memory_id
    LIMIT :limit
    """
)


def load(database_url: str, model: str, vectors: Vectors, *, author: str) -> None:
    """Replace all memories and embeddings by these; their ids are their row numbers.

    Args:
        database_url: the address of any login; the superuser's differs in the name alone.
        model: what the vectors are recorded under.
        vectors: one in each row.
        author: an admin, whose memories they become.
    """
    with _superuser(database_url) as connection:
        connection.execute("TRUNCATE memory_embeddings, memories")
        connection.execute(_MEMORIES, (author, len(vectors)))
        into = "COPY memory_embeddings (memory_id, model, embedding) FROM STDIN"
        with connection.cursor().copy(into) as copy:
            for number, vector in enumerate(vectors):
                copy.write_row((UUID(int=number), model, written(vector.tolist())))
        connection.execute("ANALYZE memories, memory_embeddings")


def build_index(engine: sa.Engine, model: str) -> None:
    """Make the model's index over all that is there, with both hands where there is room."""
    workers = 1 if _free_shared_memory() > (2 * _MEGABYTES_FOR_BUILD << 20) else 0
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{_MEGABYTES_FOR_BUILD}MB'")
        # Vectors lie beside the table, which seems small without them.
        connection.exec_driver_sql("SET LOCAL min_parallel_table_scan_size = 0")
        connection.exec_driver_sql(f"SET LOCAL max_parallel_maintenance_workers = {workers}")
        repository.index_model(connection, model)


def exact(engine: sa.Engine, model: str, vector: list[float]) -> list[tuple[UUID, float]]:
    """Return the memories nearest to a vector, with their similarities: all are looked at."""
    with transaction(engine) as connection:
        connection.exec_driver_sql("SET LOCAL enable_indexscan = off")
        # As the search takes it: a last digit would tell two that are equally near apart.
        asked = {"model": model, "asked": written(as_direction(vector)), "limit": NEAREST}
        return [(row.memory_id, row.similarity) for row in connection.execute(_EXACT, asked)]


def _free_shared_memory() -> int:
    """Return how many bytes two processes may share; Postgres takes what it may use at once."""
    try:
        return shutil.disk_usage(_SHARED_MEMORY).free
    except OSError:
        return 0


@contextlib.contextmanager
def _superuser(database_url: str) -> Iterator[psycopg.Connection]:
    url = sa.make_url(database_url).set(username=SUPERUSER)
    _, given = check_address(url.render_as_string(hide_password=False), "DATABASE_URL")
    address = make_conninfo("", **given, **fixed_parameters(given))
    with contextlib.closing(psycopg.connect(address, autocommit=True)) as connection:
        yield connection
