"""Content changed behind Remit's back is found when it is read: every kind of damage to its bytes.

Objects are changed on the store's disk, rows past every trigger and every check.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from remit.artifacts import contents
from remit.artifacts.store import ObjectStoreException
from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.progress import tell_nobody
from remit.errors import UnverifiableError
from remit.operations.evidence.upkeep import check_artifacts
from tests.adversarial.keeping import LARGE, OTHER, SMALL, Kept


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "first byte": lambda content: flipped(content, 0),
    "a byte in the middle": lambda content: flipped(content, len(content) // 2),
    "last byte": lambda content: flipped(content, len(content) - 1),
    "a byte more": lambda content: content + b"\0",
    "a line break more": lambda content: content + b"\n",
    "a byte in front": lambda content: b"\0" + content,
    "a byte less": lambda content: content[:-1],
    "half": lambda content: content[: len(content) // 2],
    "emptied": lambda _: b"",
    "other content": lambda _: OTHER,
    "two bytes exchanged": lambda content: content[1::-1] + content[2:],
    "vast": lambda content: content + bytes(MAX_ARTIFACT_BYTES),
}


def test_undamaged_all_of_it_is_read(kept: Kept) -> None:
    assert [kept.read(one) for one in (kept.small, kept.large, kept.other)] == [SMALL, LARGE, OTHER]
    checked = check_artifacts(kept.engine, kept.objects, tell_nobody)
    assert (checked.checked, checked.failed, checked.problems) == (3, 0, ())


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_object_is_found_on_read(kept: Kept, name: str) -> None:
    kept.file(kept.large).write_bytes(DAMAGES[name](LARGE))
    error = kept.refuses(kept.large)
    assert isinstance(error, ObjectStoreException)
    assert (error.error.error_type, error.error.retryable) == ("storage_error", False)
    assert "damaged" in str(error)


@pytest.mark.parametrize("name", DAMAGES)
def test_even_a_store_that_looks_at_nothing_hands_no_damage_on(
    kept: Kept, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.artifacts.store.check_content", lambda _, content: content)
    kept.file(kept.large).write_bytes(DAMAGES[name](LARGE))
    assert isinstance(kept.refuses(kept.large), UnverifiableError)


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_content_of_a_row_is_found_on_read(kept: Kept, name: str) -> None:
    kept.forge(kept.small, content=DAMAGES[name](SMALL))
    assert "does not match its digest" in str(kept.refuses(kept.small))


@pytest.mark.parametrize("name", DAMAGES)
def test_without_the_look_at_the_digest_the_damage_is_handed_on(
    kept: Kept, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = kept.small.content
    damaged = DAMAGES[name](SMALL)
    kept.forge(kept.small, content=damaged)
    forged = {damaged: said.digest, canonical_json(kept.metadata(kept.small)): kept.small.digest}
    monkeypatch.setattr(contents, "sha256_digest", lambda data: forged[bytes(data)])
    monkeypatch.setattr(contents, "len", lambda _: said.size_bytes, raising=False)
    assert kept.read(kept.small) == damaged


def test_an_object_that_is_gone_is_told_as_that(kept: Kept) -> None:
    kept.file(kept.large).unlink()
    error = kept.refuses(kept.large)
    assert isinstance(error, ObjectStoreException)
    assert error.error.error_type == "not_found"


def test_content_that_is_gone_from_its_row_is_told_as_that(kept: Kept) -> None:
    kept.forge(kept.small, content=None)
    assert str(kept.refuses(kept.small)) == f"the content of {kept.small.uri} is gone from its row"


def test_a_link_in_an_object_s_place_is_not_followed(kept: Kept, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.write_bytes(LARGE)
    place = kept.file(kept.large)
    place.unlink()
    place.symlink_to(aside)
    assert isinstance(kept.refuses(kept.large), ObjectStoreException)


def test_content_that_was_changed_with_all_its_digests_is_found_by_the_log(kept: Kept) -> None:
    metadata = kept.metadata(kept.small)
    metadata["content_ref"] |= {"digest": sha256_digest(b"forged"), "size_bytes": 6}
    kept.forge(kept.small, metadata=metadata, content=b"forged", agreeing=True)
    assert kept.read(kept.small) == b"forged"
    assert kept.findings() == ["artifact_changed", "unverifiable"]
