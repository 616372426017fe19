"""Reading memory in somebody's name: every read is on record, or it is not answered."""

import sqlalchemy as sa

from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.db.session import transaction
from remit.identity.types import Principal
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.repository import insert_read
from remit.signing.keys import Keyring
from remit.telemetry.metrics import count_memory_read


def open_memory_reader(
    reader_engine: sa.Engine,
    engine: sa.Engine,
    provider: EmbeddingProvider,
    *,
    by: Principal,
    keys: Keyring,
) -> PostgresMemoryReader:
    """Return what answers the four questions of memory, in the name of one principal.

    Args:
        reader_engine: the database with the role `remit_reader`, through which it reads.
        engine: the database with the role `remit_app`, which keeps the record of reads.
        provider: what turns a question into a vector.
        by: who asks.
        keys: what verifies who wrote a memory; public keys are enough.
    """
    return PostgresMemoryReader(
        reader_engine,
        embedder=provider,
        principal=by.name,
        keys=keys,
        record=lambda attempt: record_read(engine, attempt),
    )


def record_read(engine: sa.Engine, attempt: MemoryAccessAttempt) -> None:
    """Put one read of memory on record.

    Raises:
        UnavailableError: the database does not answer; the caller must not answer either.
    """
    with transaction(engine) as connection:
        insert_read(connection, attempt)
    count_memory_read(attempt.query_name, attempt.outcome)
