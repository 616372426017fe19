"""Evidence that somebody files by hand, and reading evidence back, verified.

The embedded services and a door hand in the object store; what a decision or a run leaves behind is
written by the operations that decide and run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.contents import (
    Content,
    check_metadata_digest,
    place_content,
    read_bounded,
    read_content,
    unread,
)
from remit.artifacts.repository import (
    ArtifactFilter,
    NewArtifact,
    artifact_by_id,
    artifacts_beginning,
    find_artifacts,
    inline_content,
    new_artifact,
)
from remit.artifacts.schemas import check_metadata
from remit.artifacts.statements import FILED_BY, sign_filing
from remit.artifacts.store import ObjectStore
from remit.artifacts.types import (
    CONTENT_REF,
    Artifact,
    ContentRef,
    parse_artifact_uri,
    read_content_ref,
)
from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.db.session import snapshot, transaction
from remit.directives.repository import get_directive, lock_directive
from remit.errors import InvalidInputError, NotFoundError
from remit.identity.rules import require, require_own
from remit.identity.types import Principal
from remit.operations.evidence.records import identified
from remit.redaction.masking import redact_object, redact_text
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType


@dataclass(frozen=True)
class Filing:
    """What somebody says of the content that they file, for a directive or for none."""

    name: str
    media_type: str
    labels: Mapping[str, str]
    directive_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """An artifact that is stored; `digest` is that of its metadata, which the log names."""

    id: UUID
    uri: str
    digest: str
    content: ContentRef


def put_artifact(
    engine: sa.Engine,
    store: ObjectStore,
    artifact_type: ArtifactType,
    metadata: JsonObject,
    content: tuple[BinaryIO, str],
    *,
    about: NewEvent,
) -> NewArtifact:
    """Store an artifact with content: the content first, then its row and the event together.

    When this returns, none of it will be lost. When it raises, or never ends, there is at most an
    object that nothing refers to: `upkeep` lists those.

    Content over 64 KB goes to `store`; secrets in `metadata` are masked. `content` is where its
    content is read from, and its media type. `about` is the event that tells of it, in the chain of
    its directive or of the installation.

    Raises:
        InvalidInputError: the content is too large, or the metadata is not of its type.
        NotFoundError: there is no such directive.
        ObjectStoreException: the content was not kept; nothing was stored.
    """
    made = _placed(store, artifact_type, metadata, content, about.directive_id)
    _keep(engine, made, about)
    return made


def file_attachment(
    engine: sa.Engine,
    store: ObjectStore,
    source: BinaryIO,
    filing: Filing,
    *,
    by: Principal,
    keys: Keyring,
) -> Filed:
    """File content as evidence, for a directive or for none; `keys` sign that `by` did.

    Whoever issued the directive may, and whoever operates; without a directive an operator.

    Raises:
        ForbiddenError: `by` may not.
        InvalidInputError: the content is too large, or what is said of it is not usable.
        NotFoundError: there is no such directive.
        MisconfiguredError: there is no key to sign with.
        ObjectStoreException: the content was not kept; nothing was stored.
    """
    if filing.directive_id is None:
        require(by, "operate", "administer")
    else:
        with snapshot(engine) as connection:
            directive = get_directive(connection, filing.directive_id)
        require_own(by, directive.issued_by)
    metadata: JsonObject = {"name": filing.name, "labels": {**filing.labels}, FILED_BY: by.name}
    about = filing.directive_id or INSTALLATION
    made = _placed(store, "attachment", metadata, (source, filing.media_type), about)
    envelope = sign_filing(made, keys, token=by.token)
    # The event has it too, so that nobody else can tell of a filing in the installation's chain.
    entry = NewEvent(about, "artifact.stored", by.name, {"envelope": envelope})
    _keep(engine, replace(made, envelope=envelope), entry)
    ref = read_content_ref(made.metadata)
    assert ref is not None  # noqa: S101 - it was made with content, above
    return Filed(made.id, made.uri, made.digest, ref)


def get_artifact_ref(engine: sa.Engine, artifact_id: UUID) -> str | None:
    """Return the address of an artifact; None when there is none."""
    with snapshot(engine) as connection:
        found = artifact_by_id(connection, artifact_id)
    return found.uri if found else None


def read_artifact(engine: sa.Engine, artifact_id: UUID) -> Artifact:
    """Return one artifact, verified, without its content.

    Raises:
        NotFoundError: there is no such artifact.
        UnverifiableError: its metadata is not what its digest says.
    """
    with snapshot(engine) as connection:
        artifact = _required(connection, artifact_id)
    check_metadata_digest(artifact)
    return artifact


def read_artifacts(engine: sa.Engine, wanted: ArtifactFilter) -> list[Artifact]:
    """Return the artifacts that pass the filter, newest first, without their contents."""
    with snapshot(engine) as connection:
        return find_artifacts(connection, wanted)


def get_artifact_content(engine: sa.Engine, store: ObjectStore, artifact_id: UUID) -> Content:
    """Return what an artifact holds, verified; its metadata as JSON when it has no content.

    Raises:
        NotFoundError: there is no such artifact.
        UnverifiableError: it is not what its digests say.
        MisconfiguredError: its content lies in another store.
        ObjectStoreException: the store did not give it.
    """
    with snapshot(engine) as connection:
        artifact = _required(connection, artifact_id)
        inline = inline_content(connection, artifact_id)
    return read_content(store, artifact, inline)


def find_artifact_id(engine: sa.Engine, text: str) -> UUID:
    """Return the artifact that `text` is: its identifier, the beginning of it, or its address.

    Raises:
        InvalidInputError: it is none of these, or several begin with it.
        NotFoundError: none begins with it.
    """
    wanted = text.strip()
    if wanted.startswith("artifact:"):
        address = parse_artifact_uri(wanted)
        if address.scheme != "local":
            raise InvalidInputError(
                "this is the address of an object; give the artifact that has it as its content",
                field="id",
            )
        wanted = address.key
    return identified(
        engine, wanted, "artifact", artifacts_beginning, listing="remit artifacts list"
    )


def _placed(
    store: ObjectStore,
    artifact_type: ArtifactType,
    metadata: JsonObject,
    content: tuple[BinaryIO, str],
    about: UUID,
) -> NewArtifact:
    source, media_type = content[0], redact_text(content[1])
    cleaned = redact_object(metadata)
    # Before anything is read or placed: a wrong name costs no object that nothing refers to.
    check_metadata(artifact_type, {**cleaned, CONTENT_REF: unread(media_type)})
    placed = place_content(store, read_bounded(source), media_type)
    directive_id = None if about == INSTALLATION else about
    return new_artifact(artifact_type, cleaned, directive_id=directive_id, placed=placed)


def _keep(engine: sa.Engine, made: NewArtifact, about: NewEvent) -> None:
    entry = replace(about, data={**about.data, "artifact": made.uri})
    with transaction(engine) as connection:
        if made.directive_id is not None:
            lock_directive(connection, made.directive_id)
        append_events(connection, [entry], [made])


def _required(connection: sa.Connection, artifact_id: UUID) -> Artifact:
    found = artifact_by_id(connection, artifact_id)
    if found is None:
        raise NotFoundError(f"there is no artifact {artifact_id}: see `remit artifacts list`")
    return found
