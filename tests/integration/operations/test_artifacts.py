"""Filing evidence by hand: where it lies, who may, what is masked, and what refuses it."""

import json
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.noop import NoOpObjectStore
from remit.artifacts.statements import FILING
from remit.artifacts.store import CONTENT_THRESHOLD_BYTES, ObjectStoreException, object_key
from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle
from remit.audit.chain import INSTALLATION, Event
from remit.audit.repository import list_events
from remit.errors import InvalidInputError, NotFoundError
from remit.operations.evidence.artifacts import (
    find_artifact_id,
    get_artifact_content,
    get_artifact_ref,
    read_artifact,
)
from remit.operations.evidence.bundles import export_bundle
from remit.vocabulary import ObjectStoreErrorType
from tests.integration.operations.conftest import AUDITOR, audited
from tests.integration.operations.filing import (
    LARGE,
    SMALL,
    Endless,
    Failing,
    Watched,
    everything_said,
    file_one,
    inline,
    objects_in,
    stored_rows,
)
from tests.integration.operations.lives import LIVES
from tests.support.contents import proposed
from tests.support.keys import KEYS


@pytest.fixture
def store(tmp_path: Path) -> FilesystemObjectStore:
    """Return a store that keeps what it is given."""
    return objects_in(tmp_path)


def events_of(engine: sa.Engine, directive_id: UUID) -> list[Event]:
    with engine.connect() as connection:
        return list_events(connection, directive_id)


@pytest.mark.parametrize("size", [0, 1, CONTENT_THRESHOLD_BYTES])
def test_content_up_to_the_threshold_lies_in_postgres(
    engine: sa.Engine, store: FilesystemObjectStore, size: int
) -> None:
    content = b"\x00\xff" * (size // 2) + b"\n" * (size % 2)
    filed = file_one(engine, store, content)
    assert inline(engine, filed.id) == content
    assert list(store.list_objects()) == []
    assert filed.content.uri == filed.uri == get_artifact_ref(engine, filed.id)
    assert get_artifact_content(engine, store, filed.id).data == content


@pytest.mark.parametrize("size", [CONTENT_THRESHOLD_BYTES + 1, MAX_ARTIFACT_BYTES])
def test_content_over_the_threshold_is_an_object_of_the_store(
    engine: sa.Engine, store: FilesystemObjectStore, size: int
) -> None:
    content = b"\x00\xff" * (size // 2) + b"\n" * (size % 2)
    filed = file_one(engine, store, content)
    assert inline(engine, filed.id) is None
    assert filed.content.uri == f"artifact://filesystem/{object_key(content)}"
    assert [(one.key, one.size_bytes) for one in store.list_objects()] == [
        (object_key(content), size)
    ]
    found = get_artifact_content(engine, store, filed.id)
    assert (found.data, found.media_type, found.digest) == (
        content,
        "text/plain",
        filed.content.digest,
    )


def test_one_byte_too_many_is_refused(engine: sa.Engine, store: FilesystemObjectStore) -> None:
    before = stored_rows(engine)
    source = Watched(bytes(MAX_ARTIFACT_BYTES + 1))
    with pytest.raises(InvalidInputError, match=f"content: larger than {MAX_ARTIFACT_BYTES} bytes"):
        file_one(engine, store, source)
    assert stored_rows(engine) == before
    assert list(store.list_objects()) == []


def test_what_never_ends_is_refused_before_it_is_read_much_over_the_limit(
    engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    source = Endless()
    with pytest.raises(InvalidInputError, match="larger than"):
        file_one(engine, store, source)
    assert MAX_ARTIFACT_BYTES < source.given <= MAX_ARTIFACT_BYTES + 256 * 1024


@pytest.mark.parametrize(("content", "objects"), [(SMALL, 0), (LARGE, 1)])
def test_the_same_content_twice_is_one_object_and_two_artifacts(
    engine: sa.Engine, store: FilesystemObjectStore, content: bytes, objects: int
) -> None:
    first, second = (file_one(engine, store, content) for _ in range(2))
    assert first.id != second.id
    assert first.content.digest == second.content.digest
    assert len(list(store.list_objects())) == objects
    for one in (first, second):
        assert get_artifact_content(engine, store, one.id).data == content


def test_a_read_gives_what_was_said_of_the_content(
    engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    filed = file_one(engine, store, SMALL)
    found = read_artifact(engine, filed.id)
    assert (found.type, found.uri, found.digest) == ("attachment", filed.uri, filed.digest)
    assert found.metadata == {
        "name": "notes.txt",
        "labels": {"subject": "kitchen"},
        "filed_by": "operator",
        "content_ref": {
            "digest": filed.content.digest,
            "size_bytes": len(SMALL),
            "media_type": "text/plain",
            "uri": filed.uri,
        },
    }
    assert found.content_ref == filed.content


def test_an_artifact_is_found_by_its_address_and_by_the_beginning_of_its_identifier(
    engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    filed = file_one(engine, store, LARGE)
    for text in (filed.uri, f" {filed.uri} ", str(filed.id), str(filed.id)[:13].upper()):
        assert find_artifact_id(engine, text) == filed.id
    with pytest.raises(InvalidInputError, match="give the artifact that has it as its content"):
        find_artifact_id(engine, filed.content.uri)


@pytest.mark.parametrize(
    "text",
    [
        *("artifact://local/../x", "artifact://filesystem/sha256/../../etc/passwd", "artifact:"),
        *("artifact://local/%2e%2e", "file:///etc/passwd", "abc", "%", "____", "' OR 1=1 --"),
    ],
)
def test_what_is_no_address_and_no_identifier_is_refused(engine: sa.Engine, text: str) -> None:
    with pytest.raises(InvalidInputError):
        find_artifact_id(engine, text)


def test_what_nobody_filed_is_not_found(engine: sa.Engine, store: FilesystemObjectStore) -> None:
    unknown = uuid4()
    assert get_artifact_ref(engine, unknown) is None
    for read in (
        lambda: read_artifact(engine, unknown),
        lambda: get_artifact_content(engine, store, unknown),
    ):
        with pytest.raises(NotFoundError, match=f"there is no artifact {unknown}"):
            read()
    with pytest.raises(NotFoundError, match="there is no directive"):
        file_one(engine, store, SMALL, directive_id=unknown)


TOKEN = "ghp_" + "a1B2" * 9
SIGNING = "remit_" + "Zz09" * 8
CANARIES = (TOKEN, SIGNING, "hunter2-canary", "correct-horse-canary")


def test_no_secret_of_a_name_or_a_label_is_stored_or_told(
    empty_engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    about = proposed(empty_engine)
    labels = {
        "password": CANARIES[2],
        "note": f"use {SIGNING} there",
        TOKEN: "in a name",
        "Api-Key": CANARIES[3],
        "subject": "kitchen",
    }
    for content in (SMALL, LARGE):
        for directive_id in (None, about.id):
            filed = file_one(
                empty_engine,
                store,
                content,
                name=f"dump-token={TOKEN}.txt",
                labels=labels,
                directive_id=directive_id,
            )
            found = read_artifact(empty_engine, filed.id).metadata
            assert found["labels"] == {
                "password": "[redacted]",
                "note": "use [redacted] there",
                "[redacted]": "in a name",
                "Api-Key": "[redacted]",
                "subject": "kitchen",
            }
    said = everything_said(empty_engine)
    assert "kitchen" in said
    assert [canary for canary in CANARIES if canary in said] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": f"../{TOKEN}"},
        {"name": f"{TOKEN}\x1b[2J"},
        {"labels": {"x": f"{SIGNING}\n"}},
        {"labels": {f"{TOKEN}\x00": "x"}},
        {"media_type": f"text/plain; token={TOKEN}"},
        {"media_type": f"text/plain; x={TOKEN}"},
        {"media_type": TOKEN},
    ],
)
@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_what_is_refused_is_not_stored_and_its_secrets_are_not_told(
    empty_engine: sa.Engine,
    store: FilesystemObjectStore,
    changes: dict[str, Any],
    content: bytes,
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        file_one(empty_engine, store, content, **changes)
    told = f"{caught.value} {caught.value.field} {everything_said(empty_engine)}"
    assert [canary for canary in CANARIES if canary in told] == []
    assert stored_rows(empty_engine) == (0, 0)
    assert list(store.list_objects()) == []


def test_what_keeps_nothing_refuses_large_content_and_takes_small_content(
    empty_engine: sa.Engine,
) -> None:
    store = NoOpObjectStore()
    with pytest.raises(ObjectStoreException, match="OBJECT_STORE_PROVIDER") as caught:
        file_one(empty_engine, store, LARGE)
    assert caught.value.error.error_type == "disabled"
    assert stored_rows(empty_engine) == (0, 0)
    assert list(store.list_objects()) == []
    filed = file_one(empty_engine, store, SMALL)
    assert get_artifact_content(empty_engine, store, filed.id).data == SMALL


@pytest.mark.parametrize("error_type", get_args(ObjectStoreErrorType))
def test_a_store_that_fails_leaves_no_row_and_no_event(
    empty_engine: sa.Engine, error_type: ObjectStoreErrorType
) -> None:
    about = proposed(empty_engine)
    before = events_of(empty_engine, about.id)
    with pytest.raises(ObjectStoreException) as caught:
        file_one(empty_engine, Failing(error_type), LARGE, directive_id=about.id)
    assert caught.value.error.error_type == error_type
    assert stored_rows(empty_engine) == (0, 0)
    assert events_of(empty_engine, about.id) == before


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_the_log_names_the_digest_of_what_was_filed(
    empty_engine: sa.Engine, store: FilesystemObjectStore, content: bytes
) -> None:
    about = proposed(empty_engine)
    for chain, directive_id in ((about.id, about.id), (INSTALLATION, None)):
        filed = file_one(empty_engine, store, content, directive_id=directive_id)
        last = events_of(empty_engine, chain)[-1]
        assert (last.type, last.actor) == ("artifact.stored", "operator")
        told = json.loads(last.data)
        assert told.pop("envelope")["payloadType"] == FILING.payload_type
        assert told == {"artifact": filed.uri, "evidence": {filed.uri: filed.digest}}
    assert audited(empty_engine).findings == ()


@pytest.mark.parametrize("name", ["draft", "blocked", "waiting", "running", "complete", "failed"])
def test_a_directive_with_attachments_verifies_wherever_it_stands(
    engine: sa.Engine, store: FilesystemObjectStore, name: str
) -> None:
    about = LIVES[name](engine)
    for content in (SMALL, LARGE):
        file_one(engine, store, content, directive_id=about.id)
    bundle = read_bundle(export_bundle(engine, about.id, KEYS, by=AUDITOR), KEYS)
    assert [one.name for one in check_bundle(bundle, KEYS) if not one.holds] == []
    kept = [one for one in bundle.bundle.artifacts if one.type == "attachment"]
    assert len(kept) == 2
    assert audited(engine).findings == ()
