"""All SQL of artifacts, and of what language models cost runs, by the evidence of their calls.

They are stored in one statement with the events that speak of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.artifacts.contents import PlacedContent
from remit.artifacts.types import CONTENT_REF, MAX_ARTIFACT_BYTES, Artifact, artifact_uri
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, as_row, insert_into
from remit.db.evidence_tables import artifacts
from remit.db.reading import ids_beginning, parsed_json, readable
from remit.errors import InvalidInputError
from remit.vocabulary import ArtifactType


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """An artifact about to be stored.

    `content` is what Postgres keeps of it besides its metadata; the envelope says who filed it.
    """

    id: UUID
    type: ArtifactType
    metadata: JsonObject
    directive_id: UUID | None
    run_id: UUID | None
    digest: str
    size_bytes: int
    content: bytes | None = None
    envelope: JsonObject | None = None

    @property
    def uri(self) -> str:
        """The address it will have."""
        return artifact_uri(self.id)


def new_artifact(
    artifact_type: ArtifactType,
    metadata: JsonObject,
    *,
    directive_id: UUID | None = None,
    run_id: UUID | None = None,
    placed: PlacedContent | None = None,
) -> NewArtifact:
    """Prepare an artifact: name it, digest it, measure it; its content is `placed` already."""
    if placed is not None:
        metadata = {**metadata, CONTENT_REF: asdict(placed.ref)}
    covered = canonical_json(metadata)
    if len(covered) > MAX_ARTIFACT_BYTES:
        raise InvalidInputError(
            f"the {artifact_type} artifact is {len(covered)} bytes; "
            f"at most {MAX_ARTIFACT_BYTES} are kept",
            field="metadata",
        )
    return NewArtifact(
        id=uuid4() if placed is None else placed.artifact_id,
        type=artifact_type,
        metadata=metadata,
        directive_id=directive_id,
        run_id=run_id,
        digest=sha256_digest(covered),
        size_bytes=len(covered),
        content=None if placed is None else placed.inline,
    )


def store_artifacts(prepared: Sequence[NewArtifact]) -> BatchStatement:
    """Return the write that stores artifacts."""
    rows = [as_row(new, _STORED) for new in prepared]
    return BatchStatement("kept", _STORE, rows, "an artifact was not stored")


def list_artifacts(connection: sa.Connection, directive_id: UUID) -> list[Artifact]:
    """Return a directive's artifacts, oldest first."""
    about = sa.select(*_COLUMNS).where(artifacts.c.directive_id == directive_id)
    return _read(connection, about.order_by(artifacts.c.created_at, artifacts.c.type))


def latest_artifact(
    connection: sa.Connection, directive_id: UUID, artifact_type: ArtifactType
) -> Artifact | None:
    """Return a directive's newest artifact of one type, or None when it has none."""
    statement = (
        sa.select(*_COLUMNS)
        .where(artifacts.c.directive_id == directive_id, artifacts.c.type == artifact_type)
        .order_by(artifacts.c.created_at.desc())
        .limit(1)
    )
    return next(iter(_read(connection, statement)), None)


@dataclass(frozen=True, slots=True)
class ArtifactFilter:
    """Which artifacts to list, and at most how many."""

    type: ArtifactType | None = None
    directive_id: UUID | None = None
    limit: int = 50


def find_artifacts(connection: sa.Connection, wanted: ArtifactFilter) -> list[Artifact]:
    """Return the artifacts that pass the filter, newest first."""
    statement = sa.select(*_COLUMNS).order_by(artifacts.c.created_at.desc(), artifacts.c.id)
    if wanted.type is not None:
        statement = statement.where(artifacts.c.type == wanted.type)
    if wanted.directive_id is not None:
        statement = statement.where(artifacts.c.directive_id == wanted.directive_id)
    return _read(connection, statement.limit(wanted.limit))


def artifact_by_id(connection: sa.Connection, artifact_id: UUID) -> Artifact | None:
    """Return one artifact; None when there is none."""
    statement = sa.select(*_COLUMNS).where(artifacts.c.id == artifact_id)
    return next(iter(_read(connection, statement)), None)


def inline_content(connection: sa.Connection, artifact_id: UUID) -> bytes | None:
    """Return what Postgres keeps of an artifact besides its metadata; None for nothing."""
    statement = sa.select(artifacts.c.content).where(artifacts.c.id == artifact_id)
    return connection.execute(statement).scalar_one_or_none()


def artifacts_beginning(connection: sa.Connection, prefix: str) -> list[UUID]:
    """Return up to two artifacts whose identifier begins with `prefix`."""
    return ids_beginning(connection, artifacts.c.id, prefix)


def referenced_uris(connection: sa.Connection) -> Iterator[str]:
    """Yield the address of the content of every artifact that has one elsewhere."""
    named = artifacts.c.metadata[(CONTENT_REF, "uri")].astext
    statement = sa.select(named).where(named.is_not(None), artifacts.c.content.is_(None))
    yield from connection.execution_options(yield_per=_MANY).execute(statement).scalars()


def count_artifacts(connection: sa.Connection) -> int:
    """Return how many artifacts there are."""
    return connection.execute(sa.select(sa.func.count()).select_from(artifacts)).scalar_one()


def stream_whole(connection: sa.Connection) -> Iterator[tuple[Artifact, bytes | None]]:
    """Yield every artifact with the content that Postgres keeps of it, oldest first."""
    statement = sa.select(*_COLUMNS, artifacts.c.content).order_by(artifacts.c.created_at)
    for row in connection.execution_options(yield_per=_FEW).execute(statement):
        fields = dict(row._mapping)
        content = fields.pop("content")
        yield _artifact(fields), content


def _read(connection: sa.Connection, statement: sa.Select[Any]) -> list[Artifact]:
    return [_artifact(dict(row._mapping)) for row in connection.execute(statement)]


def _artifact(row: Mapping[str, Any]) -> Artifact:
    """Return an artifact; one whose metadata somebody forged fails later, by its digest."""
    return Artifact(**{**row, "metadata": parsed_json(row["metadata"])})


_COLUMNS = tuple(readable(artifacts, Artifact.__slots__))
"""All of an artifact but its content, which may be large and is asked for by itself."""

_MANY, _FEW = 2000, 20
"""Rows in memory at a time: an address is small, and an artifact may be 10 MiB."""

_STORED = (*(each.name for each in fields(NewArtifact)), "uri")
_STORE = f"{insert_into(artifacts, 'kept', _STORED)} RETURNING id"


def model_costs(
    connection: sa.Connection, run_ids: Collection[UUID]
) -> dict[UUID, list[Decimal | None]]:
    """Return what models cost runs, in US dollars; those that asked none are left out.

    It is the sum of what is known, and None beside it where the cost of a call is not.
    """
    if not run_ids:
        return {}
    rows = connection.execute(_COSTS, {"runs": list(run_ids)})
    return {row.run_id: [Decimal(row.known), *([None] if row.unknown else [])] for row in rows}


def final_model_costs(
    connection: sa.Connection, run_ids: Collection[UUID]
) -> dict[UUID, list[Decimal | None]]:
    """Return what models cost runs that end in this transaction: no call joins them any more.

    It holds their directives' rows, and so waits for a call that is being recorded; one that comes
    later finds that its directive does not execute.
    """
    if not run_ids:
        return {}
    # A statement of its own: the sums must see what was committed while this one waited.
    connection.execute(_HOLD, {"runs": list(run_ids)})
    return model_costs(connection, run_ids)


_HOLD = sa.text("""
    SELECT directive.id FROM directives AS directive
    JOIN execution_runs AS run ON run.directive_id = directive.id
    WHERE run.id = ANY(CAST(:runs AS uuid[]))
    ORDER BY directive.id
    FOR NO KEY UPDATE OF directive
""")

# By the directive, which has an index. A cost of another form was not written by Remit: unknown.
_COSTS = sa.text("""
    SELECT used.run_id, coalesce(sum(one.cost), 0) AS known, bool_or(one.cost IS NULL) AS unknown
    FROM artifacts AS used
    CROSS JOIN LATERAL (
        SELECT CASE WHEN used.metadata ->> 'estimated_cost_usd' ~ '^[0-9]{1,9}(\\.[0-9]{1,12})?$'
            THEN CAST(used.metadata ->> 'estimated_cost_usd' AS numeric) END AS cost
    ) AS one
    WHERE used.type = 'llm_usage' AND used.run_id = ANY(CAST(:runs AS uuid[]))
        AND used.directive_id IN (
            SELECT directive_id FROM execution_runs WHERE id = ANY(CAST(:runs AS uuid[]))
        )
    GROUP BY used.run_id
""")
