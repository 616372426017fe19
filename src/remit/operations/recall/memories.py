"""Memory: reading it in somebody's name, and writing what a completed run taught or an admin notes.

Every read is on record, or it is not answered. Nothing is remembered by itself. Whoever writes
cites the run, and may only if the run is theirs to speak of; the database refuses a memory that
cites no completed run and no admin.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.cognition.embeddings.types import MAX_BATCH_SIZE
from remit.db.session import snapshot, transaction
from remit.directives.repository import lock_directive
from remit.errors import ConflictError, InvalidInputError, NotFoundError
from remit.execution.repository import run_by_id, runs_beginning
from remit.identity.rules import require, require_own
from remit.identity.types import Principal
from remit.memory import repository
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.queries import check_words, recorded
from remit.memory.repository import insert_read
from remit.memory.results import Memory
from remit.memory.statements import is_believed, sign_memory
from remit.memory.vector import Embedded, embed_and_store
from remit.memory.writing import MAX_SCOPE_LENGTH, NewMemory, Remembered, SignedMemory, checked
from remit.operations.evidence.records import identified
from remit.signing.keys import Keyring
from remit.telemetry.metrics import add_embedding_usage, count_memory_read


def open_memory_reader(
    reader_engine: sa.Engine,
    engine: sa.Engine,
    provider: EmbeddingProvider,
    *,
    by: Principal,
    keys: Keyring,
) -> PostgresMemoryReader:
    """Return what answers the four questions of memory, in the name of one principal.

    It reads through `reader_engine`, of the role `remit_reader`, and keeps the record of reads
    through `engine`, of `remit_app`. To verify who wrote a memory, public keys are enough.
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


MAX_RECENT = 100


def remember(
    engine: sa.Engine,
    memories: Sequence[NewMemory],
    *,
    by: Principal,
    keys: Keyring,
    run_id: UUID | None = None,
) -> list[Remembered]:
    """Write memories, at most a hundred and all or none, and tell of them in the log.

    With the completed run that they come from, `by` is whoever issued its directive, or an
    operator; without one, an admin, which is recorded as such. `keys` sign that `by` wrote them.

    Returns:
        Each with its identifier, in the order of `memories`.

    Raises:
        ConflictError: the run is not completed.
    """
    if not 1 <= len(memories) <= MAX_BATCH_SIZE:
        raise InvalidInputError(f"give 1 to {MAX_BATCH_SIZE} memories at once", field="memories")
    new = [checked(memory, place) for place, memory in enumerate(memories)]
    with transaction(engine) as connection:
        source = _source(connection, run_id, by)
        shown = by.token
        signed = [sign_memory(memory, source, keys, token=shown) for memory in new]
        written = repository.insert_memories(connection, signed, source)
        told = [one for one, kept in zip(signed, written, strict=True) if kept.is_new]
        if told:
            append_events(connection, [_added(source, told)])
    return written


def embed_memories(
    engine: sa.Engine, provider: EmbeddingProvider, memory_ids: Sequence[UUID], *, by: Principal
) -> Embedded:
    """Make memories searchable under the provider's model; those that are already cost nothing.

    Raises:
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
    engine: sa.Engine, *, by: Principal, keys: Keyring, scope: str | None, limit: int
) -> list[Memory]:
    """Return the newest memories first, and put on record who looked.

    Those among them that do not verify by `keys` are left out; an audit names them.
    """
    if not 1 <= limit <= MAX_RECENT:
        raise InvalidInputError(f"must be 1 to {MAX_RECENT}", field="limit")
    if scope is not None:
        check_words("scope", scope, MAX_SCOPE_LENGTH)
    with snapshot(engine) as connection:
        newest = repository.list_recent(connection, scope, limit)
    found = [memory for memory in newest if is_believed(memory, keys)]
    asked = recorded({"scope": scope, "limit": limit})
    attempt = MemoryAccessAttempt(
        by.name, "operations", "recent_memories", asked, "answered", len(found)
    )
    record_read(engine, attempt)
    return found


def find_run_id(engine: sa.Engine, text: str) -> UUID:
    """Return the run that `text` is, or is the beginning of."""
    return identified(engine, text, "run", runs_beginning, listing="remit show DIRECTIVE")


def _source(connection: sa.Connection, run_id: UUID | None, by: Principal) -> repository.Source:
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


def _added(source: repository.Source, told: Sequence[SignedMemory]) -> NewEvent:
    """Return the event that tells of new memories: the digest of what each says, and its envelope.

    The envelopes stay when a memory has to be forgotten.
    """
    data: JsonObject = {} if source.run_id is None else {"run": str(source.run_id)}
    data["memories"] = {str(one.id): one.memory.digest for one in told}
    data["envelopes"] = {str(one.id): one.envelope for one in told}
    return NewEvent(source.directive_id or INSTALLATION, "memory.added", source.created_by, data)
