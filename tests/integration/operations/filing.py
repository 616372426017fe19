"""Filing evidence, and looking past the operations at what that left."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import (
    NoOpObjectStore,
    ObjectStore,
    ObjectStoreRequest,
    ObjectStoreResponse,
    failure,
)
from remit.identity.types import Principal
from remit.operations.evidence.artifacts import Filed, Filing, file_attachment
from remit.vocabulary import ObjectStoreErrorType
from tests.support.keys import KEYS
from tests.support.people import OPERATOR

SMALL = b"small enough for a row"
LARGE = b"large " * 20_000
"""120,000 bytes: over the threshold."""


class Watched(io.BytesIO):
    """Content that counts how many bytes of it were read."""

    given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        chunk = super().read(size)
        self.given += len(chunk)
        return chunk


class Endless(Watched):
    """Content that never ends."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as are asked for."""
        assert size is not None
        assert size > 0, "asked for all that there is"
        self.given += size
        return bytes(size)


class Failing(NoOpObjectStore):
    """A store that says it is durable, and fails at every put."""

    name = "filesystem"
    durable = True

    def __init__(self, error_type: ObjectStoreErrorType) -> None:
        super().__init__()
        self.error_type = error_type

    def put(self, request: ObjectStoreRequest) -> ObjectStoreResponse:
        """Fail."""
        raise failure(self.error_type, "it does not work", retryable=False)


def objects_in(folder: Path) -> FilesystemObjectStore:
    """Return a store in a folder of the test's own."""
    return FilesystemObjectStore(folder / "objects")


def file_one(
    engine: sa.Engine,
    store: ObjectStore,
    content: bytes | io.BytesIO,
    *,
    by: Principal = OPERATOR,
    **changes: Any,
) -> Filed:
    """File content under a name, for no directive unless told otherwise."""
    source = content if isinstance(content, io.BytesIO) else io.BytesIO(content)
    filing = Filing("notes.txt", "text/plain", {"subject": "kitchen"})
    return file_attachment(engine, store, source, replace(filing, **changes), by=by, keys=KEYS)


def rows(engine: sa.Engine, statement: str, **values: object) -> Sequence[Any]:
    """Return what a query finds."""
    with engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def stored_rows(engine: sa.Engine) -> tuple[int, int]:
    """Return how many attachments there are, and how many events tell of one."""
    [found] = rows(
        engine,
        "SELECT (SELECT count(*) FROM artifacts WHERE type = 'attachment'),"
        " (SELECT count(*) FROM events WHERE type = 'artifact.stored')",
    )
    return found[0], found[1]


def everything_said(engine: sa.Engine) -> str:
    """Return all that stands in artifacts, but for their contents, in events and in memory."""
    wanted = (
        "SELECT (to_jsonb(a) - 'content')::text FROM artifacts AS a",
        "SELECT to_jsonb(e)::text FROM events AS e",
        "SELECT to_jsonb(m)::text FROM memories AS m",
        "SELECT to_jsonb(r)::text FROM memory_reads AS r",
        "SELECT to_jsonb(r)::text FROM execution_runs AS r",
    )
    return "\n".join(row[0] for query in wanted for row in rows(engine, query))


def inline(engine: sa.Engine, artifact_id: UUID) -> bytes | None:
    """Return what Postgres keeps of an artifact's content."""
    [(content,)] = rows(engine, "SELECT content FROM artifacts WHERE id = :id", id=artifact_id)
    return None if content is None else bytes(content)
