"""Preparing and reading artifacts. Nothing changes or removes one.

They are stored in the same statement as the events that speak of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.artifacts.types import MAX_ARTIFACT_BYTES, Artifact, ArtifactType, artifact_uri
from remit.db.tables import artifacts
from remit.db.together import Part
from remit.directives.digest import canonical_json, sha256_digest
from remit.errors import InvalidInputError
from remit.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """An artifact about to be stored; its address is known before it is."""

    id: UUID
    type: ArtifactType
    metadata: JsonObject
    directive_id: UUID | None
    run_id: UUID | None
    digest: str
    size_bytes: int

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
) -> NewArtifact:
    """Prepare an artifact: name it, digest it, measure it.

    Raises:
        InvalidInputError: it is over :data:`MAX_ARTIFACT_BYTES`.
    """
    content = canonical_json(metadata)
    if len(content) > MAX_ARTIFACT_BYTES:
        raise InvalidInputError(
            f"the {artifact_type} artifact is {len(content)} bytes; "
            f"at most {MAX_ARTIFACT_BYTES} are kept",
            field="metadata",
        )
    return NewArtifact(
        id=uuid4(),
        type=artifact_type,
        metadata=metadata,
        directive_id=directive_id,
        run_id=run_id,
        digest=sha256_digest(content),
        size_bytes=len(content),
    )


def store_artifacts(prepared: Sequence[NewArtifact]) -> Part:
    """Return the write that stores artifacts."""
    rows: list[JsonObject] = [
        {
            "id": str(new.id),
            "type": new.type,
            "uri": new.uri,
            "directive_id": None if new.directive_id is None else str(new.directive_id),
            "run_id": None if new.run_id is None else str(new.run_id),
            "metadata": new.metadata,
            "digest": new.digest,
            "size_bytes": new.size_bytes,
        }
        for new in prepared
    ]
    return Part("kept", _STORE, rows, "an artifact was not stored")


def list_artifacts(connection: sa.Connection, directive_id: UUID) -> list[Artifact]:
    """Return a directive's artifacts, oldest first."""
    statement = (
        sa.select(artifacts)
        .where(artifacts.c.directive_id == directive_id)
        .order_by(artifacts.c.created_at, artifacts.c.type)
    )
    return [Artifact(**row._mapping) for row in connection.execute(statement)]


def latest_artifact(
    connection: sa.Connection, directive_id: UUID, artifact_type: ArtifactType
) -> Artifact | None:
    """Return a directive's newest artifact of one type, or None when it has none."""
    statement = (
        sa.select(artifacts)
        .where(artifacts.c.directive_id == directive_id, artifacts.c.type == artifact_type)
        .order_by(artifacts.c.created_at.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return Artifact(**row._mapping) if row else None


_STORE = """
    INSERT INTO artifacts (id, type, uri, directive_id, run_id, metadata, digest, size_bytes)
    SELECT id, type, uri, directive_id, run_id, metadata, digest, size_bytes
    FROM jsonb_to_recordset(%(kept)s::jsonb) AS new (
        id uuid, type text, uri text, directive_id uuid, run_id uuid,
        metadata jsonb, digest text, size_bytes integer
    )
    RETURNING id
"""
