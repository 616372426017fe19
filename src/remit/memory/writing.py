"""What a new memory may be, what its author signs, and whether that still verifies. Pure.

Those who think believe what memory says under its source. Whoever writes to the database with the
services' own login could add one in an admin's name; without the key nobody is shown it.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from remit.base.canonical import sha256_digest
from remit.base.json_types import JsonObject
from remit.cognition.embeddings.types import MAX_TEXT_LENGTH
from remit.errors import UnverifiableError
from remit.memory.queries import check_words
from remit.memory.results import Memory
from remit.redaction.masking import redact_text
from remit.signing.keys import Keyring
from remit.signing.statements import (
    Kind,
    claimed,
    is_earlier,
    sign_statement,
    stated,
    verify_statement,
)

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

    An error names it by its place among those stored together, from 0.
    """
    _check_bounds(memory, place)
    masked = NewMemory(redact_text(memory.scope), redact_text(memory.content))
    _check_bounds(masked, place)  # a mask may be longer than what it hides
    return masked


def _check_bounds(memory: NewMemory, place: int) -> None:
    check_words(f"memories[{place}].scope", memory.scope, MAX_SCOPE_LENGTH)
    check_words(f"memories[{place}].content", memory.content, MAX_TEXT_LENGTH)


@dataclass(frozen=True, slots=True)
class Source:
    """Where new memories come from; an admin's own cite no directive and no run."""

    created_by: str
    directive_id: UUID | None
    run_id: UUID | None


MEMORY = Kind("memory")


def sign_memory(
    memory: NewMemory, source: Source, keys: Keyring, *, token: UUID | None
) -> SignedMemory:
    """Return a memory about to be stored, under a new identifier; `token` is its author's."""
    memory_id, shown = uuid4(), None if token is None else str(token)
    said = {**_statement(memory_id, memory, source), "token": shown}
    return SignedMemory(memory_id, memory, sign_statement(MEMORY, said, keys))


def verify_memory(memory: Memory, keys: Keyring) -> None:
    """Return quietly when its author's statement covers a memory, and its digest its words.

    One of before that was ever signed counts by the time that the database gave it.
    """
    # From what is said now: the statement has the digest of the words, not that of the column.
    now = NewMemory(memory.scope, memory.content)
    never = memory.envelope is None and memory.digest == now.digest
    if never and is_earlier(memory.created_at, keys):
        return
    said = _statement(memory.id, now, memory)
    token = claimed(memory.envelope, "token")
    verify_statement(MEMORY, memory.envelope, {**said, "token": token}, keys)


def is_believed(memory: Memory, keys: Keyring) -> bool:
    """Return whether a memory verifies, so that those who think may be shown it."""
    try:
        verify_memory(memory, keys)
    except UnverifiableError:
        return False
    return True


def _statement(memory_id: UUID, words: NewMemory, source: Source | Memory) -> JsonObject:
    return {
        "memory": str(memory_id),
        **stated(words, "scope", "digest"),
        **stated(source, "created_by", directive="directive_id", run="run_id"),
    }
