"""What is signed of evidence that somebody files, and whether it still verifies. Pure.

Whoever writes to the database with the services' own login could file in anybody's name; without
the key it is nobody's.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from remit.artifacts.types import Artifact
from remit.base.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import (
    Kind,
    claimed,
    is_earlier,
    sign_statement,
    stated,
    verify_statement,
)

if TYPE_CHECKING:
    # Whoever checks a bundle verifies filings, and must not load what this loads.
    from remit.artifacts.repository import NewArtifact

FILING = Kind("filing")

FILED_BY = "filed_by"
"""Under which name an attachment's metadata says who filed it."""


def sign_filing(new: "NewArtifact", keys: Keyring, *, token: UUID | None) -> JsonObject:
    """Return the envelope of an attachment about to be stored; `token` is that of who files it."""
    shown = None if token is None else str(token)
    said = {**_statement(new), "filed_by": new.metadata[FILED_BY], "token": shown}
    return sign_statement(FILING, said, keys)


def verify_filing(artifact: Artifact, envelope: JsonObject | None, keys: Keyring) -> None:
    """Return quietly when one of the keys signed that this was filed by whom it names.

    One of before that was ever signed counts by the time that the database gave it.
    """
    if envelope is None and is_earlier(artifact.created_at, keys):
        return
    metadata: object = artifact.metadata  # no object where somebody forged the row
    filed_by = metadata.get(FILED_BY) if isinstance(metadata, dict) else None
    said = {**_statement(artifact), "filed_by": filed_by, "token": claimed(envelope, "token")}
    verify_statement(FILING, envelope, said, keys)


def _statement(artifact: "Artifact | NewArtifact") -> JsonObject:
    return stated(artifact, "uri", "digest", artifact="id", directive="directive_id")
