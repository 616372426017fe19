"""What a row says of its content, changed behind Remit's back: never does it give other bytes.

A forger who leaves the digest of the metadata as it was is found when the artifact is read. One who
makes the row agree with itself is given nothing but what its digest names, and is found by the log
and by what was signed when it was filed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from remit.artifacts import store
from remit.errors import MisconfiguredError, UnverifiableError
from remit.operations.evidence.artifacts import Filed, read_artifact
from tests.adversarial.keeping import Kept
from tests.support.contents import write

Change = Callable[[dict[str, Any], Kept], object]


def _of_ref(**changes: Any) -> Change:
    return lambda metadata, _: metadata["content_ref"].update(changes)


def _other_digest(metadata: dict[str, Any], kept: Kept) -> None:
    metadata["content_ref"]["digest"] = kept.other.content.digest


def _other_object(metadata: dict[str, Any], kept: Kept) -> None:
    metadata["content_ref"]["uri"] = kept.other.content.uri


def _other_row(metadata: dict[str, Any], kept: Kept) -> None:
    metadata["content_ref"]["uri"] = kept.small.uri


def _other_store(metadata: dict[str, Any], _: Kept) -> None:
    ref = metadata["content_ref"]
    ref["uri"] = ref["uri"].replace("filesystem", "r2")


SECRET = "sha256/../../../../../../../../etc/passwd"
PLACES = (
    f"artifact://filesystem/{SECRET}",
    "artifact://filesystem/sha256/%2e%2e/%2e%2e/etc/passwd",
    "artifact://filesystem/sha256/%252e%252e%252fetc%252fpasswd",
    "artifact://filesystem/sha256/..%c0%af..%c0%afetc/passwd",
    "artifact://filesystem//etc/passwd",
    "artifact://filesystem/sha256/" + "a" * 63 + "/",
    "artifact://filesystem/sha256/" + "A" * 64,
    "artifact://filesystem/sha256/" + "a" * 64 + "\n",
    "artifact://filesystem@evil/sha256/" + "a" * 64,
    "artifact://local/../filesystem/sha256/" + "a" * 64,
    "ARTIFACT://filesystem/sha256/" + "a" * 64,
    "file:///etc/passwd",
    "/etc/passwd",
    "http://127.0.0.1/sha256/" + "a" * 64,
    "",
)
CHANGES: Mapping[str, Change] = {
    "a field more": lambda metadata, _: metadata.update(more=1),
    "another name": lambda metadata, _: metadata.update(name="other.txt"),
    "another media type": _of_ref(media_type="text/html"),
    "another size": _of_ref(size_bytes=1),
    "another digest": _other_digest,
    "another object": _other_object,
    "another row": _other_row,
    "another store": _other_store,
    "no digest": lambda metadata, _: metadata["content_ref"].pop("digest"),
    "a digest that is a number": _of_ref(digest=1),
    "a size that is text": _of_ref(size_bytes="1"),
    "no content": lambda metadata, _: metadata.update(content_ref=None),
    "content that is a list": lambda metadata, _: metadata.update(content_ref=[]),
    **{f"the place {place!r}": _of_ref(uri=place) for place in PLACES},
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("which", ["small", "large"])
def test_changed_metadata_is_found_on_read(kept: Kept, which: str, name: str) -> None:
    filed: Filed = getattr(kept, which)
    metadata = kept.metadata(filed)
    CHANGES[name](metadata, kept)
    # An address of its own row, or of a row for an object's: there is nothing else to say then.
    metadata["and"] = "more"
    kept.forge(filed, metadata=metadata)
    error = kept.refuses(filed)
    assert isinstance(error, UnverifiableError)
    assert "does not match its digest" in str(error)
    with pytest.raises(UnverifiableError, match="does not match its digest"):
        read_artifact(kept.engine, filed.id)


HARMLESS = {"a field more", "another name", "another media type"}
"""What changes no byte of the content, and is told by the log alone."""


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in HARMLESS])
def test_metadata_that_was_changed_with_its_digest_never_gives_other_bytes(
    kept: Kept, name: str
) -> None:
    metadata = kept.metadata(kept.large)
    CHANGES[name](metadata, kept)
    kept.forge(kept.large, metadata=metadata, agreeing=True)
    error = kept.refuses(kept.large)
    assert isinstance(error, MisconfiguredError if name == "another store" else UnverifiableError)
    assert "root:" not in str(error)


@pytest.mark.parametrize("name", CHANGES)
def test_metadata_that_was_changed_with_its_digest_is_found_by_the_log(
    kept: Kept, name: str
) -> None:
    metadata = kept.metadata(kept.large)
    CHANGES[name](metadata, kept)
    kept.forge(kept.large, metadata=metadata, agreeing=True)
    # The event that names it tells another digest, and so does what was signed of its filing.
    assert kept.findings() == ["artifact_changed", "unverifiable"]


UNHEARD_OF = (
    *("'\"text\"'", "'\"content_ref\"'", "'[]'", "'[\"content_ref\"]'", "'null'", "'7'"),
    *("'{\"n\": 1e999}'", "('{\"n\": ' || repeat('9', 400) || '}')::jsonb"),
)


@pytest.mark.parametrize("metadata", UNHEARD_OF)
@pytest.mark.parametrize("which", ["small", "large"])
def test_metadata_that_no_writer_of_remit_s_writes_is_refused(
    kept: Kept, which: str, metadata: str
) -> None:
    filed: Filed = getattr(kept, which)
    statement = f"UPDATE artifacts SET metadata = {metadata} WHERE id = :id"  # noqa: S608
    write(kept.engine, statement, id=filed.id)
    assert isinstance(kept.refuses(filed), UnverifiableError)


@pytest.mark.parametrize("metadata", ["content_ref", ["content_ref"], [], None, 7, True])
@pytest.mark.parametrize("which", ["small", "large"])
def test_metadata_that_is_no_object_is_refused_even_if_its_digest_is_its_own(
    kept: Kept, which: str, metadata: object
) -> None:
    filed: Filed = getattr(kept, which)
    kept.forge(filed, metadata=metadata, agreeing=True)
    assert "is no object" in str(kept.refuses(filed))


def test_no_key_is_made_from_what_a_row_says() -> None:
    assert store.is_key("sha256/" + "a" * 64)
    assert not any(store.is_key(place.removeprefix("artifact://filesystem/")) for place in PLACES)
