"""What a new memory may be. Pure; `remit.operations.recall.memories` writes it.

A secret in the words is masked before they are digested, stored or embedded.
"""

from dataclasses import dataclass
from uuid import UUID

from remit.base.canonical import sha256_digest
from remit.base.json_types import JsonObject
from remit.cognition.embeddings.types import MAX_TEXT_LENGTH
from remit.memory.queries import check_words
from remit.redaction.masking import redact_text

MAX_SCOPE_LENGTH = 200
"""Most characters of a memory's scope."""


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory about to be stored.

    Attributes:
        scope: what it is about, 1 to 200 characters.
        content: what it says, 1 to 8,192 characters: as much as can be embedded as one text.
    """

    scope: str
    content: str

    @property
    def digest(self) -> str:
        """SHA-256 over the UTF-8 of its content, as "sha256:" and hexadecimal digits."""
        return sha256_digest(self.content.encode())


@dataclass(frozen=True, slots=True)
class SignedMemory:
    """A memory about to be stored, with its author's word for it.

    Attributes:
        id: the identifier that it gets if it is not stored already.
        memory: what it says.
        envelope: that its author wrote it, signed; see `remit.memory.statements`.
    """

    id: UUID
    memory: NewMemory
    envelope: JsonObject


@dataclass(frozen=True, slots=True)
class Remembered:
    """One memory after it was written.

    Attributes:
        memory_id: the memory.
        is_new: whether it was stored now; the same words of the same source are one memory.
    """

    memory_id: UUID
    is_new: bool


def checked(memory: NewMemory, place: int) -> NewMemory:
    """Return the memory as it is stored: its secrets masked, its bounds held.

    Args:
        memory: what somebody wants to be remembered.
        place: its position among those stored together, from 0, for the message.

    Raises:
        InvalidInputError: it is empty, too long, or holds what Postgres cannot; `field` names it.
    """
    check_words(f"memories[{place}].scope", memory.scope, MAX_SCOPE_LENGTH)
    check_words(f"memories[{place}].content", memory.content, MAX_TEXT_LENGTH)
    masked = NewMemory(redact_text(memory.scope), redact_text(memory.content))
    # A mask may be longer than what it hides.
    check_words(f"memories[{place}].scope", masked.scope, MAX_SCOPE_LENGTH)
    check_words(f"memories[{place}].content", masked.content, MAX_TEXT_LENGTH)
    return masked
