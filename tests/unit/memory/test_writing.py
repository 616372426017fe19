"""What a new memory may be, and what of it is stored."""

import hashlib
from typing import Any

import pytest

from remit.errors import InvalidInputError
from remit.memory.writing import NewMemory, checked
from remit.redaction.masking import MASK

SCOPE = "must be a text of 1 to 200 characters"
CONTENT = "must be a text of 1 to 8192 characters"


@pytest.mark.parametrize(
    "memory", [NewMemory("s", "c"), NewMemory("s" * 200, "c" * 8192), NewMemory("s", "a\nb é 漢")]
)
def test_a_memory_within_bounds_stays_as_it_is(memory: NewMemory) -> None:
    assert checked(memory, 0) == memory


@pytest.mark.parametrize(
    ("scope", "content", "message"),
    [
        ("", "c", f"memories[7].scope: {SCOPE}"),
        ("s" * 201, "c", f"memories[7].scope: {SCOPE}"),
        (None, "c", f"memories[7].scope: {SCOPE}"),
        ("s", "", f"memories[7].content: {CONTENT}"),
        ("s", " \n", f"memories[7].content: {CONTENT}"),
        ("s", "c" * 8193, f"memories[7].content: {CONTENT}"),
        ("s", b"c", f"memories[7].content: {CONTENT}"),
        ("s", "a\0b", "memories[7].content: "),
        ("s", "half \ud800", "memories[7].content: "),
        ("pwd=abcd " * 22, "c", f"memories[7].scope: {SCOPE}"),
        ("s", "pwd=abcd " * 909, f"memories[7].content: {CONTENT}"),
    ],
)
def test_a_memory_out_of_bounds_names_its_place(scope: Any, content: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked(NewMemory(scope, content), 7)
    assert str(caught.value).startswith(message)


def test_a_secret_is_masked_before_it_is_digested() -> None:
    memory = checked(NewMemory("token=abcdefgh", "The password: hunter2-hunter2."), 0)
    assert memory == NewMemory(f"token={MASK}", f"The password: {MASK}")
    assert memory.digest == f"sha256:{hashlib.sha256(memory.content.encode()).hexdigest()}"
