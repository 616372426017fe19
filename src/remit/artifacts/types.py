"""What an artifact is, and how it is addressed. No I/O."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.errors import InvalidInputError
from remit.vocabulary import ArtifactType

MAX_ARTIFACT_BYTES = 10 * 1024 * 1024
"""Largest content of an artifact, and the largest metadata, in bytes (of its canonical JSON)."""

CONTENT_REF = "content_ref"
"""Under which name an artifact's metadata says what content it has; Remit's own to write."""

_URI = re.compile(
    r"artifact://(?:(?P<local>local)/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<store>noop|filesystem|r2)/(?P<key>sha256/[0-9a-f]{64}))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ArtifactAddress:
    """Where an artifact lies: its id in `local` (Postgres), or `sha256/<digest>` in a store."""

    scheme: str
    key: str


@dataclass(frozen=True, slots=True)
class ContentRef:
    """What an artifact's metadata says of its content. The digest decides, not the address."""

    digest: str
    size_bytes: int
    media_type: str
    uri: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored artifact, without its content. Its metadata is the evidence itself.

    Digest and size are those of the metadata's canonical JSON.
    """

    id: UUID
    type: ArtifactType
    uri: str
    directive_id: UUID | None
    run_id: UUID | None
    metadata: JsonObject
    digest: str
    size_bytes: int
    created_at: datetime

    @property
    def content_ref(self) -> ContentRef | None:
        """What content it has besides its metadata; None when it has none."""
        return read_content_ref(self.metadata)


def read_content_ref(metadata: object) -> ContentRef | None:
    """Return what `metadata` says of its artifact's content; None when it says nothing usable.

    It is no object where somebody forged the row.
    """
    match metadata:
        case {
            "content_ref": {
                "digest": str(digest),
                "size_bytes": int(size),
                "media_type": str(media_type),
                "uri": str(uri),
            }
        }:
            return ContentRef(digest, size, media_type, uri)
    return None


def artifact_uri(artifact_id: UUID) -> str:
    """Return the address of an artifact held in Postgres."""
    return f"artifact://local/{artifact_id}"


def parse_artifact_uri(uri: str) -> ArtifactAddress:
    """Split the address of an artifact or of an object."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidInputError(
            "not an artifact address; they read artifact://local/<id> "
            "or artifact://<store>/sha256/<digest>",
            field="uri",
        )
    return ArtifactAddress(match["local"] or match["store"], match["id"] or match["key"])
