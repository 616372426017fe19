"""What a new memory may be: bounded, and its secrets masked before anything else. Pure."""

from dataclasses import dataclass
from uuid import UUID

from remit.base.canonical import sha256_digest
from remit.base.json_types import JsonObject
from remit.cognition.embeddings.types import MAX_TEXT_LENGTH
from remit.memory.queries import check_words
from remit.redaction.masking import redact_text

MAX_SCOPE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory about to be stored: a scope of 1 to 200, and a content of 1 to 8,192 characters."""

    scope: str
    content: str

    @property
    def digest(self) -> str:
        """SHA-256 over the UTF-8 of its content, as "sha256:" and hexadecimal digits."""
        return sha256_digest(self.content.encode())


@dataclass(frozen=True, slots=True)
class SignedMemory:
    """A memory about to be stored: its identifier, and its author's signed word for it."""

    id: UUID
    memory: NewMemory
    envelope: JsonObject


@dataclass(frozen=True, slots=True)
class Remembered:
    """One memory after it was written; the same words of the same source are one memory."""

    memory_id: UUID
    is_new: bool


def checked(memory: NewMemory, place: int) -> NewMemory:
    """Return the memory as it is stored: its secrets masked, its bounds held.

    Raises:
        InvalidInputError: it is empty, too long, or holds what Postgres cannot; `field` names it by
            its place among those stored together, from 0.
    """
    check_words(f"memories[{place}].scope", memory.scope, MAX_SCOPE_LENGTH)
    check_words(f"memories[{place}].content", memory.content, MAX_TEXT_LENGTH)
    masked = NewMemory(redact_text(memory.scope), redact_text(memory.content))
    # A mask may be longer than what it hides.
    check_words(f"memories[{place}].scope", masked.scope, MAX_SCOPE_LENGTH)
    check_words(f"memories[{place}].content", masked.content, MAX_TEXT_LENGTH)
    return masked
