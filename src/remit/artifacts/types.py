"""What an artifact is, and how it is addressed. No I/O here."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from remit.errors import InvalidInputError
from remit.json_types import JsonObject

ArtifactType = Literal[
    "policy_evaluation",
    "execution_start",
    "execution_checkpoint",
    "execution_end",
    "module_output",
]
"""Every type an artifact can have.

- `policy_evaluation`: a decision of the gate with its complete input
- `execution_start`: a grant was consumed and a run created
- `execution_checkpoint`: a module returned, and what it returned
- `execution_end`: how the run ended
- `module_output`: what a module chose to leave as evidence of its work
"""

MAX_ARTIFACT_BYTES = 10 * 1024 * 1024
"""Largest artifact accepted, in bytes of its canonical JSON."""

_URI = re.compile(
    r"artifact://(?P<store>local)/(?P<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


@dataclass(frozen=True, slots=True)
class ArtifactAddress:
    """Where an artifact lies.

    Attributes:
        scheme: which store holds it; `local` is Postgres itself.
        key: its name in that store.
    """

    scheme: str
    key: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored artifact.

    Attributes:
        id: the artifact.
        type: what kind of evidence it is.
        uri: its address, `artifact://local/<id>`.
        directive_id: the directive it is about; None for none.
        run_id: the run that made it; None for none.
        metadata: the evidence itself.
        digest: SHA-256 over its canonical JSON.
        size_bytes: length of that JSON.
        created_at: when it was stored.
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


def artifact_uri(artifact_id: UUID) -> str:
    """Return the address of an artifact held in Postgres."""
    return f"artifact://local/{artifact_id}"


def parse_artifact_uri(uri: str) -> ArtifactAddress:
    """Split an artifact's address.

    Raises:
        InvalidInputError: it is not one that Remit makes.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidInputError(
            "not an artifact address; they read artifact://local/<id>", field="uri"
        )
    return ArtifactAddress(match["store"], match["key"])
