"""Writing memory, which no reader can: what a completed run taught, or what an admin notes.

Nothing is remembered by itself. Whoever writes cites the run, and may only if the run is theirs to
speak of; the database refuses a memory that cites no completed run and no admin.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.repository import Entry, record
from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.cognition.embeddings.types import MAX_BATCH_SIZE
from remit.db.session import snapshot, transaction
from remit.directives.repository import lock_directive
from remit.errors import ConflictError, InvalidInputError, NotFoundError
from remit.execution.repository import run_by_id, runs_beginning
from remit.identity.rules import require, require_own
from remit.identity.types import Principal
from remit.json_types import JsonObject
from remit.memory import repository
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.queries import check_words, recorded
from remit.memory.results import Memory
from remit.memory.vector import Embedded, embed_and_store
from remit.memory.writing import MAX_SCOPE_LENGTH, NewMemory, Remembered, checked
from remit.operations.identifiers import identified
from remit.operations.recall import record_read
from remit.telemetry.metrics import add_embedding_usage

MAX_RECENT = 100
"""Most memories that one list shows."""


def remember(
    engine: sa.Engine,
    memories: Sequence[NewMemory],
    *,
    by: Principal,
    run_id: UUID | None = None,
) -> list[Remembered]:
    """Write memories, all of them or none, and tell of them in the log.

    Args:
        engine: the database.
        memories: what to remember, at most a hundred at once.
        by: who writes them. With a run, whoever issued its directive, or an operator; without one,
            an admin, which is recorded as such.
        run_id: the completed run that they come from; None for an admin's own words.

    Returns:
        Each with its identifier, in the order of `memories`.

    Raises:
        ForbiddenError: `by` may not.
        InvalidInputError: a memory is empty, too long, or holds what cannot be stored.
        NotFoundError: there is no such run.
        ConflictError: the run is not completed.
    """
    if not 1 <= len(memories) <= MAX_BATCH_SIZE:
        raise InvalidInputError(f"give 1 to {MAX_BATCH_SIZE} memories at once", field="memories")
    new = [checked(memory, place) for place, memory in enumerate(memories)]
    with transaction(engine) as connection:
        source = _source(connection, run_id, by)
        written = repository.insert_memories(connection, new, source)
        told: JsonObject = {
            str(one.memory_id): memory.digest
            for one, memory in zip(written, new, strict=True)
            if one.is_new
        }
        if told:
            record(connection, [_added(source, told)])
    return written


def embed_memories(
    engine: sa.Engine, provider: EmbeddingProvider, memory_ids: Sequence[UUID], *, by: Principal
) -> Embedded:
    """Make memories searchable under the provider's model; those that are already cost nothing.

    Raises:
        ForbiddenError: `by` may neither propose nor operate, and so may not spend on it either.
        NotFoundError: one of them does not exist.
        EmbeddingProviderError: the provider gave no vectors; batches before it were stored.
    """
    require(by, "propose", "operate", "administer")
    embedded = embed_and_store(engine, provider, memory_ids)
    cost = None if embedded.cost_usd is None else float(embedded.cost_usd)
    add_embedding_usage(embedded.model, texts=embedded.count, dollars=cost)
    return embedded


def memories_without_embedding(engine: sa.Engine, model: str, limit: int) -> list[UUID]:
    """Return memories that cannot be found under a model yet, oldest first."""
    with snapshot(engine) as connection:
        return repository.unembedded(connection, model, limit)


def recent_memories(
    engine: sa.Engine, *, by: Principal, scope: str | None, limit: int
) -> list[Memory]:
    """Return the newest memories first, and put on record who looked.

    Raises:
        InvalidInputError: the limit is not 1 to :data:`MAX_RECENT`.
    """
    if not 1 <= limit <= MAX_RECENT:
        raise InvalidInputError(f"must be 1 to {MAX_RECENT}", field="limit")
    if scope is not None:
        check_words("scope", scope, MAX_SCOPE_LENGTH)
    with snapshot(engine) as connection:
        found = repository.list_recent(connection, scope, limit)
    asked = recorded({"scope": scope, "limit": limit})
    attempt = MemoryAccessAttempt(
        by.name, "operations", "recent_memories", asked, "answered", len(found)
    )
    record_read(engine, attempt)
    return found


def find_run_id(engine: sa.Engine, text: str) -> UUID:
    """Return the run that `text` is, or is the beginning of.

    Raises:
        InvalidInputError: it is no identifier, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    return identified(engine, text, "run", runs_beginning, listing="remit show DIRECTIVE")


def _source(connection: sa.Connection, run_id: UUID | None, by: Principal) -> repository.Source:
    """Return what new memories cite, once it is known that `by` may speak of it."""
    if run_id is None:
        require(by, "administer")
        return repository.Source(by.name, None, None)
    run = run_by_id(connection, run_id)
    if run is None:
        raise NotFoundError(f"there is no run {run_id}; `remit show DIRECTIVE` names its run")
    directive = lock_directive(connection, run.directive_id)
    require_own(by, directive.issued_by)
    if run.status != "completed":
        raise ConflictError(
            f"run {run_id} is {run.status}; only what a completed run brought is remembered"
        )
    return repository.Source(by.name, directive.id, run_id)


def _added(source: repository.Source, told: JsonObject) -> Entry:
    """Return the event that tells of new memories, each with the digest of what it says."""
    run: JsonObject = {} if source.run_id is None else {"run": str(source.run_id)}
    about = source.directive_id or INSTALLATION
    return Entry(about, "memory.added", source.created_by, {**run, "memories": told})
