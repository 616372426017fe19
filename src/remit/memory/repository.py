"""All SQL of memories, of their embeddings, of the record of reads, and of what memory is asked.

Nothing here changes or removes a row. What a reader calls selects only what `remit_reader` may see;
`nearest` searches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.db.evidence_tables import artifacts, memories, memory_embeddings, memory_reads
from remit.db.execution_tables import execution_runs
from remit.db.reading import parsed_json, readable
from remit.db.tables import directives
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.nearest import written
from remit.memory.results import (
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    Memory,
    SemanticResult,
)
from remit.memory.writing import Remembered, SignedMemory
from remit.telemetry.rows import read_row, read_rows
from remit.vocabulary import ArtifactType, RunStatus


@dataclass(frozen=True, slots=True)
class Source:
    """Where new memories come from; an admin's own cite no directive and no run."""

    created_by: str
    directive_id: UUID | None
    run_id: UUID | None


def insert_memories(
    connection: sa.Connection, new: Sequence[SignedMemory], source: Source
) -> list[Remembered]:
    """Store memories that are not there yet; return all of them, in the order given."""
    if not new:
        return []
    rows = [
        {
            "id": one.id,
            "scope": one.memory.scope,
            "content": one.memory.content,
            "digest": one.memory.digest,
            "envelope": one.envelope,
            **asdict(source),
        }
        # In one order, whoever writes: two who write the same at once wait for one another, and in
        # two orders they would deadlock. The same holds for embeddings.
        for one in sorted(new, key=lambda one: (one.memory.scope, one.memory.digest))
    ]
    known = ("run_id", "scope", "digest")
    connection.execute(insert(memories).values(rows).on_conflict_do_nothing(index_elements=known))
    wanted = [(one.memory.scope, one.memory.digest) for one in new]
    stored = {
        (scope, digest): memory_id
        for memory_id, scope, digest in connection.execute(
            sa.select(memories.c.id, memories.c.scope, memories.c.digest).where(
                memories.c.run_id.is_not_distinct_from(source.run_id),
                memories.c.digest.in_({digest for _, digest in wanted}),
            )
        )
    }
    found = (stored[each] for each in wanted)
    return [Remembered(each, each == one.id) for each, one in zip(found, new, strict=True)]


def list_recent(connection: sa.Connection, scope: str | None, limit: int) -> list[Memory]:
    """Return the newest memories first: all, or those of one scope."""
    statement = sa.select(memories).order_by(memories.c.created_at.desc(), memories.c.id)
    if scope is not None:
        statement = statement.where(memories.c.scope == scope)
    rows = connection.execute(statement.limit(limit))
    return read_rows(rows, lambda row: Memory(**row), "memories")


def stream_memories(connection: sa.Connection) -> Iterator[Memory]:
    """Yield every memory, in any order, whatever somebody has forged into it."""
    statement = sa.select(*readable(memories, Memory.__slots__))
    with connection.execute(statement, execution_options={"yield_per": _MANY}) as rows:
        for row in rows:
            fields = dict(row._mapping)
            yield Memory(**{**fields, "envelope": parsed_json(fields["envelope"])})


def unembedded(connection: sa.Connection, model: str, limit: int) -> list[UUID]:
    """Return memories that have no embedding of a model yet, oldest first."""
    statement = (
        sa.select(memories.c.id)
        .where(_lacks(model))
        .order_by(memories.c.created_at, memories.c.id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def contents_of(connection: sa.Connection, memory_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return what those of the memories say that exist."""
    statement = sa.select(memories.c.id, memories.c.content).where(memories.c.id.in_(memory_ids))
    return {row.id: row.content for row in connection.execute(statement)}


def lacking(connection: sa.Connection, model: str, memory_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the memories that have no embedding of a model yet."""
    statement = sa.select(memories.c.id).where(memories.c.id.in_(memory_ids), _lacks(model))
    return set(connection.execute(statement).scalars())


def index_model(connection: sa.Connection, model: str) -> None:
    """Make the model's index if there is none; call it in a transaction of its own."""
    connection.execute(sa.select(sa.func.remit_index_model(model)))


def insert_embeddings(
    connection: sa.Connection, model: str, embeddings: Sequence[tuple[UUID, Sequence[float]]]
) -> int:
    """Store embeddings of a model; return how many: a memory that has one of it keeps that one.

    Each vector has 1,536 numbers and length 1.
    """
    values = {
        "model": model,
        "ids": [memory_id for memory_id, _ in embeddings],
        "vectors": [written(vector) for _, vector in embeddings],
    }
    return len(connection.execute(_EMBED, values).all())


def found_memories(
    connection: sa.Connection,
    model: str,
    ranked: Sequence[tuple[UUID, float]],
    believes: Callable[[Memory], bool],
) -> list[SemanticResult]:
    """Return the memories that `nearest` found, with what each says and where it comes from.

    Those that `believes` does not are left out.
    """
    statement = sa.select(memories).where(memories.c.id.in_([each for each, _ in ranked]))
    rows = connection.execute(statement)
    found = read_rows(rows, lambda row: Memory(**row), "memories")
    known = {memory.id: memory for memory in found if believes(memory)}
    return [
        SemanticResult(one.id, one.content, one.scope, similarity, model, one.source)
        for memory_id, similarity in ranked
        if (one := known.get(memory_id))
    ]


def insert_read(connection: sa.Connection, attempt: MemoryAccessAttempt) -> None:
    """Add one read to the record of reads."""
    values = asdict(attempt)
    values["query"] = values.pop("query_name")
    connection.execute(sa.insert(memory_reads).values(values).inline())


def _lacks(model: str) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(
        memory_embeddings.c.memory_id == memories.c.id, memory_embeddings.c.model == model
    )


_MANY = 2000
_EMBED = sa.text(
    """
    INSERT INTO memory_embeddings (memory_id, model, embedding)
    SELECT memory_id, :model, CAST(vector AS vector)
    FROM unnest(:ids, :vectors) AS new (memory_id, vector)
    ORDER BY memory_id
    ON CONFLICT (memory_id, model) DO NOTHING
    RETURNING memory_id
    """
).bindparams(
    sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)), sa.bindparam("vectors", type_=sa.ARRAY(sa.Text))
)


def latest_directive(connection: sa.Connection, role: str) -> DirectiveSummary | None:
    """Return the newest directive that addresses a role; None when there is none."""
    statement = (
        sa.select(*(directives.c[name] for name in DirectiveSummary.__slots__))
        .where(directives.c.role == role)
        .order_by(directives.c.created_at.desc(), directives.c.id)
        .limit(1)
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    return read_row(row._mapping, lambda found: DirectiveSummary(**found), "directives")


def list_executions(
    connection: sa.Connection, limit: int, status: RunStatus | None
) -> list[ExecutionSummary]:
    """Return runs, newest first: all of them, or those that stand so."""
    statement = (
        sa.select(
            execution_runs.c.id.label("run_id"),
            directives.c.type.label("directive_type"),
            *(
                execution_runs.c[name]
                for name in ExecutionSummary.__slots__
                if name in execution_runs.c
            ),
        )
        .join(directives, directives.c.id == execution_runs.c.directive_id)
        .order_by(execution_runs.c.created_at.desc(), execution_runs.c.id)
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(execution_runs.c.status == status)
    rows = connection.execute(statement)
    return read_rows(rows, lambda row: ExecutionSummary(**row), "execution_runs")


def list_artifacts_of(
    connection: sa.Connection, artifact_type: ArtifactType, limit: int
) -> list[ArtifactSummary]:
    """Return the artifacts of one type, newest first."""
    statement = (
        sa.select(*(artifacts.c[name] for name in ArtifactSummary.__slots__))
        .where(artifacts.c.type == artifact_type)
        .order_by(artifacts.c.created_at.desc(), artifacts.c.id)
        .limit(limit)
    )
    rows = connection.execute(statement)
    return read_rows(rows, lambda row: ArtifactSummary(**row), "artifacts")
