"""What is signed of evidence that somebody files, and whether it still verifies. Pure.

Whoever writes to the database with the services' own login could file in anybody's name; without
the key it is nobody's.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from remit.artifacts.types import Artifact
from remit.base.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, claimed, is_earlier, sign_statement, verify_statement

if TYPE_CHECKING:
    # Whoever checks a bundle verifies filings, and must not load what this loads.
    from remit.artifacts.repository import NewArtifact

FILING = Kind("filing")

FILED_BY = "filed_by"
"""Under which name an attachment's metadata says who filed it."""


def sign_filing(new: "NewArtifact", keys: Keyring, *, token: UUID | None) -> JsonObject:
    """Return the envelope of an attachment about to be stored.

    Args:
        new: the attachment; its metadata says who files it.
        keys: the installation's.
        token: what whoever files it showed; None: nothing was shown.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    shown = None if token is None else str(token)
    said = _statement(new.id, new.uri, new.digest, new.directive_id)
    return sign_statement(
        FILING, {**said, "filed_by": new.metadata[FILED_BY], "token": shown}, keys
    )


def verify_filing(artifact: Artifact, envelope: JsonObject | None, keys: Keyring) -> None:
    """Return quietly when one of the keys signed that this was filed by whom it names.

    One of before that was ever signed counts by the time that the database gave it.

    Args:
        artifact: the row as it is now.
        envelope: what is stored as its envelope.
        keys: the installation's.

    Raises:
        UnverifiableError: it is not so; the message says why.
    """
    if envelope is None and is_earlier(artifact.created_at, keys):
        return
    metadata: object = artifact.metadata  # no object where somebody forged the row
    filed_by = metadata.get(FILED_BY) if isinstance(metadata, dict) else None
    said = _statement(artifact.id, artifact.uri, artifact.digest, artifact.directive_id)
    token = claimed(envelope, "token")
    verify_statement(FILING, envelope, {**said, "filed_by": filed_by, "token": token}, keys)


def _statement(artifact_id: UUID, uri: str, digest: str, directive_id: UUID | None) -> JsonObject:
    return {
        "artifact": str(artifact_id),
        "uri": uri,
        "digest": digest,
        "directive": None if directive_id is None else str(directive_id),
    }
