"""Where an artifact's content goes, and how it is read back.

Small content lies in Postgres beside the metadata; large content is an object of the store, under
its own digest. The metadata names the content by that digest, the metadata's digest covers that,
and the log covers the metadata's. Whoever changes a byte is found on the next read, unless the row
was made to agree with itself: `remit audit verify` finds that, by the log.

The object is written first and the row that speaks of it after. A crash between the two leaves an
object that nothing refers to, never an artifact without its content.
"""

from dataclasses import asdict, dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from remit.artifacts.store import (
    CONTENT_THRESHOLD_BYTES,
    ObjectStore,
    ObjectStoreRequest,
    failure,
    object_key,
)
from remit.artifacts.types import (
    CONTENT_REF,
    MAX_ARTIFACT_BYTES,
    Artifact,
    ContentRef,
    artifact_uri,
    parse_artifact_uri,
)
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.errors import InvalidInputError, MisconfiguredError, UnverifiableError

JSON = "application/json"
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class PlacedContent:
    """Content that lies where it will stay, before its row; `inline` is what Postgres keeps."""

    artifact_id: UUID
    ref: ContentRef
    inline: bytes | None


@dataclass(frozen=True, slots=True)
class Content:
    """What an artifact holds, read back and verified."""

    data: bytes
    media_type: str
    digest: str


def read_bounded(source: BinaryIO) -> bytes:
    """Return all that `source` gives, and stop reading once it is too much."""
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_ARTIFACT_BYTES:
                raise too_large()
            chunks.append(chunk)
    except OSError as error:
        raise InvalidInputError(f"cannot be read ({error.strerror})", field="content") from error
    return b"".join(chunks)


def too_large() -> InvalidInputError:
    """Return the error for content over the limit."""
    return InvalidInputError(
        f"larger than {MAX_ARTIFACT_BYTES} bytes, the most that an artifact may hold: "
        "keep it elsewhere, and file its address and digest",
        field="content",
    )


def unread(media_type: str) -> JsonObject:
    """Return what stands in metadata for content that is not read yet, so that it can be checked.

    Where content lies and what its digest is are Remit's own to say: an empty one stands for it.
    """
    return asdict(ContentRef(sha256_digest(b""), 0, media_type, artifact_uri(UUID(int=0))))


def place_content(store: ObjectStore, data: bytes, media_type: str) -> PlacedContent:
    """Put content where it will stay; when this returns, a large one is an object of the store.

    Raises:
        InvalidInputError: it is over :data:`MAX_ARTIFACT_BYTES`.
        ObjectStoreException: the store did not keep it, or keeps nothing for good.
    """
    if len(data) > MAX_ARTIFACT_BYTES:
        raise too_large()
    artifact_id, digest = uuid4(), sha256_digest(data)
    if len(data) <= CONTENT_THRESHOLD_BYTES:
        ref = ContentRef(digest, len(data), media_type, artifact_uri(artifact_id))
        return PlacedContent(artifact_id, ref, data)
    if not store.durable:
        raise failure(
            "disabled",
            f"content over {CONTENT_THRESHOLD_BYTES} bytes needs an object store, and noop keeps "
            "nothing past its process: set OBJECT_STORE_PROVIDER to filesystem or r2",
        )
    answer = store.put(ObjectStoreRequest(object_key(data), data, media_type))
    ref = ContentRef(digest, len(data), media_type, answer.uri)
    return PlacedContent(artifact_id, ref, None)


def place_json(store: ObjectStore, metadata: JsonObject) -> PlacedContent | None:
    """Put metadata that is too large for a row where it will stay; None when it is not."""
    written = canonical_json(metadata)
    return None if len(written) <= CONTENT_THRESHOLD_BYTES else place_content(store, written, JSON)


def check_metadata_digest(artifact: Artifact) -> bytes:
    """Return an artifact's metadata as canonical JSON, once its digest was held against it.

    Raises:
        UnverifiableError: it is not what its digest says, or no object.
    """
    try:
        written = canonical_json(artifact.metadata)
    except InvalidInputError as error:
        raise UnverifiableError(f"the metadata of {artifact.uri} cannot be read") from error
    if sha256_digest(written) != artifact.digest:
        raise UnverifiableError(f"the metadata of {artifact.uri} does not match its digest")
    if not written.startswith(b"{"):
        raise UnverifiableError(f"the metadata of {artifact.uri} is no object")
    return written


def read_content(store: ObjectStore, artifact: Artifact, inline: bytes | None) -> Content:
    """Return an artifact's content, or its metadata as canonical JSON when it has none of its own.

    `inline` is what Postgres keeps of it besides the metadata.

    Raises:
        UnverifiableError: metadata or content are not what their digests say, or content is gone.
        MisconfiguredError: its content lies in another store than this one.
        ObjectStoreException: the store did not give it.
    """
    written = check_metadata_digest(artifact)
    if CONTENT_REF not in artifact.metadata:
        return Content(written, JSON, artifact.digest)
    ref = artifact.content_ref
    if ref is None:
        raise UnverifiableError(f"what {artifact.uri} says of its content cannot be read")
    data = _fetch(store, artifact, ref) if inline is None else inline
    if sha256_digest(data) != ref.digest or len(data) != ref.size_bytes:
        raise UnverifiableError(f"the content of {artifact.uri} does not match its digest")
    return Content(data, ref.media_type, ref.digest)


def _fetch(store: ObjectStore, artifact: Artifact, ref: ContentRef) -> bytes:
    try:
        address = parse_artifact_uri(ref.uri)
    except InvalidInputError as error:
        raise UnverifiableError(f"{artifact.uri} says no usable place of its content") from error
    if address.scheme == "local":
        raise UnverifiableError(f"the content of {artifact.uri} is gone from its row")
    if address.scheme != store.name:
        raise MisconfiguredError(
            f"the content of {artifact.uri} lies in the store {address.scheme}, and this is "
            f"{store.name}; set OBJECT_STORE_PROVIDER={address.scheme} and what belongs to it"
        )
    return store.get(address.key)
