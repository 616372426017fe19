"""What is signed of a memory covers its words, its scope and its source."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from remit.errors import UnverifiableError
from remit.memory.results import Memory
from remit.memory.writing import (
    NewMemory,
    SignedMemory,
    Source,
    is_believed,
    sign_memory,
    verify_memory,
)
from tests.support.keys import INSTALLATION, KEYS, new_keys

NOW = INSTALLATION.since + timedelta(days=1)
TEA = NewMemory("kitchen", "Ada likes tea.")
OF_RUN = Source("agent-1", UUID(int=1), UUID(int=2))
OF_ADMIN = Source("admin", None, None)


def stored(new: SignedMemory, source: Source, **changes: Any) -> Memory:
    said = (new.id, new.memory.scope, new.memory.content, new.memory.digest)
    whence = (source.directive_id, source.run_id, source.created_by)
    return replace(Memory(*said, *whence, NOW, new.envelope), **changes)


@pytest.mark.parametrize("source", [OF_RUN, OF_ADMIN])
@pytest.mark.parametrize("token", [None, uuid4()])
def test_what_was_signed_verifies(source: Source, token: UUID | None) -> None:
    verify_memory(stored(sign_memory(TEA, source, KEYS, token=token), source), KEYS)


CHANGES: dict[str, Any] = {
    "id": uuid4(),
    "scope": "hall",
    "content": "Ada likes coffee.",
    "directive_id": None,
    "run_id": None,
    "created_by": "admin",
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_row_that_was_changed_does_not(field: str) -> None:
    memory = stored(sign_memory(TEA, OF_RUN, KEYS, token=None), OF_RUN)
    changed = replace(memory, **{field: CHANGES[field]})
    assert is_believed(memory, KEYS)
    assert not is_believed(changed, KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_memory(changed, KEYS)


def test_another_key_does_not() -> None:
    memory = stored(sign_memory(TEA, OF_ADMIN, new_keys(), token=None), OF_ADMIN)
    assert not is_believed(memory, KEYS)


def test_what_was_never_signed_counts_by_the_time_that_the_database_gave_it() -> None:
    memory = stored(sign_memory(TEA, OF_ADMIN, KEYS, token=None), OF_ADMIN, envelope=None)
    assert not is_believed(memory, KEYS)
    before = replace(memory, created_at=datetime(1999, 1, 1, tzinfo=UTC))
    assert is_believed(before, KEYS)
    assert not is_believed(replace(before, content="Ada likes coffee."), KEYS)
