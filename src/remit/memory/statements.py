"""What is signed of a memory, and whether it still verifies. Pure.

Those who think believe what memory says under its source. Whoever writes to the database with the
services' own login could add one in an admin's name; without the key nobody is shown it.
"""

from uuid import UUID, uuid4

from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.memory.repository import Source
from remit.memory.results import Memory
from remit.memory.writing import NewMemory, SignedMemory
from remit.signing.keys import Keyring
from remit.signing.statements import (
    Kind,
    claimed,
    is_earlier,
    sign_statement,
    stated,
    verify_statement,
)

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
