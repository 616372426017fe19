"""What every object store does, whatever lies beneath it."""

from datetime import UTC, datetime, timedelta

import pytest

from remit.artifacts.store import (
    CONTENT_THRESHOLD_BYTES,
    MAX_OBJECT_BYTES,
    ObjectStoreException,
    ObjectStoreRequest,
    ObjectStoreResponse,
    object_key,
)
from tests.support.object_stores import Case, keys, put
from tests.support.races import at_once

CONTENT = bytes(range(256)) * 300
KEY = object_key(CONTENT)
ABSENT = object_key(b"never put")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\r\n\x00\xff",
        CONTENT,
        b"x" * CONTENT_THRESHOLD_BYTES,
        b"y" * MAX_OBJECT_BYTES,
    ],
    ids=["empty", "one byte", "control", "every byte", "64 KB", "10 MiB"],
)
def test_what_is_put_is_what_is_got(case: Case, content: bytes) -> None:
    key = object_key(content)
    assert not case.store.exists(key)
    answer = put(case.store, content)
    assert answer == ObjectStoreResponse(
        key=key,
        uri=f"artifact://{case.store.name}/{key}",
        size_bytes=len(content),
        digest="sha256:" + key.removeprefix("sha256/"),
        created=True,
    )
    assert case.store.exists(key)
    assert case.store.get(key) == content
    assert type(case.store.get(key)) is bytes


def test_the_next_process_finds_it(case: Case) -> None:
    put(case.store, CONTENT)
    assert case.reopen().get(KEY) == CONTENT


def test_only_what_is_in_memory_is_not_durable(case: Case) -> None:
    assert case.store.durable == (case.store.name != "noop")


def test_the_same_content_is_the_same_object(case: Case) -> None:
    assert put(case.store, CONTENT).created
    again = put(case.reopen(), CONTENT)
    assert not again.created
    assert again.key == KEY
    assert keys(case.store) == [KEY]


def test_many_may_put_the_same_content_at_once(case: Case) -> None:
    answers = at_once(lambda _: put(case.store, CONTENT))
    assert len(answers) == 8
    assert any(answer.created for answer in answers)
    if case.store.name != "r2":  # moto looks first and writes afterwards
        assert [answer.created for answer in answers].count(True) == 1
    assert keys(case.store) == [KEY]
    assert case.store.get(KEY) == CONTENT


def test_many_may_put_different_contents_at_once(case: Case) -> None:
    at_once(lambda number: put(case.store, CONTENT + bytes([number])))
    expected = {object_key(CONTENT + bytes([number])): number for number in range(8)}
    assert keys(case.store) == sorted(expected)
    for key, number in expected.items():
        assert case.store.get(key) == CONTENT + bytes([number])


def test_what_is_not_there_is_not_found(case: Case) -> None:
    assert not case.store.exists(ABSENT)
    with pytest.raises(ObjectStoreException, match=ABSENT) as caught:
        case.store.get(ABSENT)
    assert (caught.value.error.error_type, caught.value.retryable) == ("not_found", False)


BAD_KEYS = [
    "",
    "sha256",
    "sha256/",
    "a" * 64,
    "/sha256/" + "a" * 64,
    "sha256//" + "a" * 63,
    "sha256/" + "a" * 63,
    "sha256/" + "a" * 65,
    "sha256/" + "A" * 64,
    "sha256/" + "g" * 64,
    "SHA256/" + "a" * 64,
    "sha512/" + "a" * 64,
    "sha256:" + "a" * 64,
    "sha256/" + "a" * 64 + "\n",
    "sha256/" + "a" * 64 + "/",
    "sha256/" + "a" * 64 + "\x00",
    " sha256/" + "a" * 64,
    "sha256/../../../../etc/passwd",
    "sha256/../" + "a" * 61,
    "sha256/..%2f" + "a" * 59,
    "sha256/%2e%2e/" + "a" * 57,
    "sha256/%252e%252e%252f" + "a" * 49,
    "sha256\\" + "a" * 64,
    "..\\sha256\\" + "a" * 64,
    "sha256/..\\..\\" + "a" * 58,
    "sha256/" + "\u0661" * 64,  # digits, and not ASCII's
    "sha256/" + "\uff11" * 64,
    "sha256/" + "a" * 63 + "\u0430",  # a letter of another alphabet
    "sha256/" + "a" * 32 + "\x00" + "a" * 31,
    "sha256/" + "a" * 62 + "?x",
    "sha256/" + "a" * 62 + "#x",
]


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_a_key_that_remit_does_not_make_is_refused(case: Case, key: str) -> None:
    for call in (
        lambda: case.store.get(key),
        lambda: case.store.exists(key),
        lambda: case.store.delete(key),
        lambda: case.store.put(ObjectStoreRequest(key, CONTENT)),
    ):
        with pytest.raises(ObjectStoreException) as caught:
            call()
        assert (caught.value.error.error_type, caught.value.retryable) == ("serialization", False)
    assert keys(case.store) == []


def test_a_content_goes_under_no_key_but_its_own(case: Case) -> None:
    with pytest.raises(ObjectStoreException, match="not the key of this content") as caught:
        case.store.put(ObjectStoreRequest(ABSENT, CONTENT))
    assert caught.value.error.error_type == "serialization"
    assert keys(case.store) == []


@pytest.mark.parametrize(
    "media_type", ["", "text", "text/", "a b/c", "text/plain\r\nx-amz-acl: public-read", "té/x"]
)
def test_a_media_type_is_one_line_of_a_known_form(case: Case, media_type: str) -> None:
    with pytest.raises(ObjectStoreException, match="media type") as caught:
        case.store.put(ObjectStoreRequest(KEY, CONTENT, media_type))
    assert caught.value.error.error_type == "serialization"
    assert not case.store.exists(KEY)


def test_one_byte_more_than_ten_mebibytes_is_refused(case: Case) -> None:
    with pytest.raises(ObjectStoreException, match=str(MAX_OBJECT_BYTES)) as caught:
        put(case.store, b"z" * (MAX_OBJECT_BYTES + 1))
    assert (caught.value.error.error_type, caught.value.retryable) == ("size_exceeded", False)
    assert keys(case.store) == []


@pytest.mark.parametrize("key", [KEY, ABSENT])
def test_nothing_is_ever_removed(case: Case, key: str) -> None:
    put(case.store, CONTENT)
    with pytest.raises(ObjectStoreException) as caught:
        case.store.delete(key)
    assert (caught.value.error.error_type, caught.value.retryable) == ("disabled", False)
    assert case.store.get(KEY) == CONTENT


def test_a_listing_tells_every_object_and_nothing_else(case: Case) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    contents = [CONTENT + bytes([number]) for number in range(20)]
    for content in contents:
        put(case.store, content)
    for name in case.foreign:
        case.overwrite(name, b"not an object")
    found = {each.key: each for each in case.store.list_objects()}
    assert {key: each.size_bytes for key, each in found.items()} == {
        object_key(content): len(content) for content in contents
    }
    for each in found.values():
        assert before <= each.modified_at <= datetime.now(UTC) + timedelta(seconds=2)


def flipped(at: int, bit: int = 0) -> bytes:
    content = bytearray(CONTENT)
    content[at] ^= 1 << bit
    return bytes(content)


DAMAGED = {
    "first byte": flipped(0),
    "first byte's highest bit": flipped(0, 7),
    "middle": flipped(len(CONTENT) // 2),
    "last byte": flipped(-1),
    "appended": CONTENT + b"\x00",
    "prepended": b"\x00" + CONTENT,
    "last byte cut": CONTENT[:-1],
    "half cut": CONTENT[: len(CONTENT) // 2],
    "emptied": b"",
    "zeroed": bytes(len(CONTENT)),
    "another's": b"whole, and not this one",
    "a byte too large": b"q" * (MAX_OBJECT_BYTES + 1),
    "far too large": b"q" * (2 * MAX_OBJECT_BYTES),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_is_found_on_every_read_and_on_every_put(case: Case, damage: str) -> None:
    put(case.store, CONTENT)
    case.overwrite(KEY, DAMAGED[damage])
    for call in (lambda: case.store.get(KEY), lambda: put(case.reopen(), CONTENT)):
        with pytest.raises(ObjectStoreException, match=f"{KEY} is damaged") as caught:
            call()
        assert (caught.value.error.error_type, caught.value.retryable) == ("storage_error", False)
    # A put mends nothing: what was found can still be looked at.
    assert case.store.exists(KEY)


def test_damage_to_one_object_does_not_touch_another(case: Case) -> None:
    put(case.store, CONTENT)
    put(case.store, b"other")
    case.overwrite(KEY, b"")
    assert case.store.get(object_key(b"other")) == b"other"
