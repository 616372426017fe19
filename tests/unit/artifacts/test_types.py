"""Addresses of artifacts, and what is too large to keep."""

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from remit.artifacts.repository import new_artifact
from remit.artifacts.types import (
    MAX_ARTIFACT_BYTES,
    ArtifactAddress,
    ContentRef,
    artifact_uri,
    parse_artifact_uri,
    read_content_ref,
)
from remit.errors import InvalidInputError

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("store", ["noop", "filesystem", "r2"])
def test_an_object_s_address_says_its_store_and_its_digest(store: str) -> None:
    address = parse_artifact_uri(f"artifact://{store}/sha256/{HEX}")
    assert address == ArtifactAddress(store, f"sha256/{HEX}")


@pytest.mark.parametrize(
    "said",
    [
        None,
        "x",
        [],
        {},
        {"digest": "d"},
        {"digest": 1, "size_bytes": 1, "media_type": "", "uri": ""},
    ],
)
def test_what_is_no_description_of_content_is_read_as_none(said: JsonValue) -> None:
    assert read_content_ref({"content_ref": said}) is None


def test_what_metadata_says_of_its_content_is_read() -> None:
    said: dict[str, JsonValue] = {"digest": "d", "size_bytes": 1, "media_type": "a/b", "uri": "u"}
    assert read_content_ref({"content_ref": said}) == ContentRef("d", 1, "a/b", "u")


@given(st.uuids())
def test_every_address_is_read_back(artifact_id: UUID) -> None:
    uri = artifact_uri(artifact_id)
    assert uri == f"artifact://local/{artifact_id}"
    assert parse_artifact_uri(uri) == ArtifactAddress("local", str(artifact_id))


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "artifact://local/",
        "artifact://local/not-an-id",
        "artifact://elsewhere/00000000-0000-0000-0000-000000000000",
        "artifact://local/00000000-0000-0000-0000-000000000000/more",
        "artifact://local/00000000-0000-0000-0000-000000000000\n",
        "artifact://local/../00000000-0000-0000-0000-000000000000",
        "ARTIFACT://local/00000000-0000-0000-0000-000000000000",
        "artifact://local/ABCDEF00-0000-0000-0000-000000000000",
        "http://local/00000000-0000-0000-0000-000000000000",
        f"artifact://filesystem/{HEX}",
        f"artifact://filesystem/sha256/{HEX[:-1]}",
        f"artifact://filesystem/sha256/{HEX}0",
        f"artifact://filesystem/sha256/{HEX}\n",
        f"artifact://filesystem/sha256/{HEX.upper()}",
        f"artifact://filesystem/sha256/../sha256/{HEX}",
        f"artifact://filesystem/sha256/%2e%2e/{HEX}",
        f"artifact://filesystem/sha256%2f{HEX}",
        f"artifact://filesystem/sha256%252f{HEX}",
        f"artifact://filesystem//sha256/{HEX}",
        f"artifact://filesystem\\sha256\\{HEX}",
        f"artifact://local/sha256/{HEX}",
        f"artifact://elsewhere/sha256/{HEX}",
        f"artifact://r2@filesystem/sha256/{HEX}",
        f"artifact://filesystem/sha256/{HEX}?x",
        f"artifact://filesystem/sha256/{HEX}#x",
        f"artifact://filesystem/sha256/{HEX[:-1]}\N{ARABIC-INDIC DIGIT ONE}",
        "artifact://filesystem/00000000-0000-0000-0000-000000000000",
        "artifact://filesystem/../../etc/passwd",
    ],
)
def test_what_is_no_address_of_remit_is_refused(uri: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_artifact_uri(uri)
    assert str(caught.value) == (
        "uri: not an artifact address; they read artifact://local/<id> "
        "or artifact://<store>/sha256/<digest>"
    )


@given(st.text())
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        parse_artifact_uri(text)


def test_an_artifact_is_digested_whatever_the_order_of_its_keys() -> None:
    one = new_artifact("module_output", {"a": 1, "b": [True, None]})
    other = new_artifact("module_output", {"b": [True, None], "a": 1})
    assert one.digest == other.digest
    assert one.size_bytes == len('{"a":1,"b":[true,null]}')
    assert one.id != other.id
    assert one.uri == artifact_uri(one.id)


def test_an_artifact_that_is_too_large_is_refused_with_both_sizes() -> None:
    with pytest.raises(InvalidInputError) as caught:
        new_artifact("module_output", {"a": "x" * MAX_ARTIFACT_BYTES})
    assert str(caught.value) == (
        f"metadata: the module_output artifact is {MAX_ARTIFACT_BYTES + 8} bytes; "
        f"at most {MAX_ARTIFACT_BYTES} are kept"
    )
