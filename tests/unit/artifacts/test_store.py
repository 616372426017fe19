"""The rules of keys, of contents, and of failures that every object store shares."""

import hashlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.artifacts.noop import NoOpObjectStore
from remit.artifacts.store import (
    CONTENT_THRESHOLD_BYTES,
    MAX_OBJECT_BYTES,
    ObjectStoreError,
    ObjectStoreException,
    ObjectStoreRequest,
    check_content,
    check_key,
    check_request,
    is_key,
    object_key,
)
from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.errors import ProviderError
from remit.vocabulary import ObjectStoreErrorType


def test_the_bounds_are_the_plans() -> None:
    assert CONTENT_THRESHOLD_BYTES == 64 * 1024
    assert MAX_OBJECT_BYTES == MAX_ARTIFACT_BYTES == 10 * 1024 * 1024


def test_there_are_six_kinds_of_failure() -> None:
    assert get_args(ObjectStoreErrorType) == (
        "disabled",
        "misconfigured",
        "storage_error",
        "not_found",
        "size_exceeded",
        "serialization",
    )


@given(st.binary(max_size=64))
def test_a_key_is_the_digest_of_its_content(content: bytes) -> None:
    key = object_key(content)
    digest = hashlib.sha256(content).hexdigest()
    assert key == f"sha256/{digest}"
    assert check_key(key) == digest
    assert check_content(key, content) == content
    assert check_request(ObjectStoreRequest(key, content)) == digest


@given(st.text(max_size=80))
def test_no_other_text_is_a_key(text: str) -> None:
    assert not is_key(text)
    assert not is_key(f"sha256/{text}")
    with pytest.raises(ObjectStoreException, match="64 lower-case hex digits"):
        check_key(text)


@given(st.sampled_from(range(71)), st.characters())
def test_a_key_with_any_other_character_is_none(at: int, character: str) -> None:
    key = object_key(b"content")
    changed = key[:at] + character + key[at + 1 :]
    allowed = character in "0123456789abcdef" if at >= len("sha256/") else changed == key
    assert is_key(changed) == allowed
    assert not is_key(key[:at] + character + key[at:])


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_flipped_bit_is_found(content: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ObjectStoreException, match="does not match its digest") as caught:
        check_content(object_key(content), bytes(changed))
    assert (caught.value.reason, caught.value.retryable) == ("storage_error", False)


def test_a_content_over_the_bound_is_damage_even_under_its_own_key() -> None:
    content = bytes(MAX_OBJECT_BYTES + 1)
    with pytest.raises(ObjectStoreException, match="it is over"):
        check_content(object_key(content), content)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/octet-stream",
        "application/vnd.api+json; charset=utf-8",
        'multipart/mixed; boundary="a b"',
        "x/" + "y" * 253,
    ],
)
def test_a_media_type_may_have_parameters(media_type: str) -> None:
    check_request(ObjectStoreRequest(object_key(b""), b"", media_type))


@pytest.mark.parametrize(
    "media_type",
    ["x/" + "y" * 254, "text/plain;\x7f", "text/plain\n", " text/plain", "text /plain"],
)
def test_a_media_type_has_no_control_and_no_end(media_type: str) -> None:
    with pytest.raises(ObjectStoreException) as caught:
        check_request(ObjectStoreRequest(object_key(b""), b"", media_type))
    assert caught.value.reason == "serialization"


def test_a_failure_is_a_providers_error_and_holds_its_value() -> None:
    error = ObjectStoreError("storage_error", "the disk is full", retryable=True)
    exception = ObjectStoreException(error)
    assert isinstance(exception, ProviderError)
    assert exception.error is error
    assert (exception.error_type, exception.reason, exception.retryable, str(exception)) == (
        "provider",
        "storage_error",
        True,
        "the disk is full",
    )
    assert ObjectStoreError("not_found", "nothing").retryable is False


def test_an_answer_names_the_store_and_the_digest() -> None:
    key, store = object_key(b"abc"), NoOpObjectStore()
    assert store.put(ObjectStoreRequest(key, b"abc")).created
    answer = store.put(ObjectStoreRequest(key, b"abc"))
    assert answer.uri == f"artifact://noop/{key}"
    assert answer.digest == "sha256:" + hashlib.sha256(b"abc").hexdigest()
    assert (answer.key, answer.size_bytes, answer.created) == (key, 3, False)
