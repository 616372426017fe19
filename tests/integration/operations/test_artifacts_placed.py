"""What stands between a caller and a stored artifact: its directive, and where its words go."""

from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.artifacts.contents import place_json
from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import CONTENT_THRESHOLD_BYTES
from remit.audit.repository import NewEvent
from remit.base.json_types import JsonObject
from remit.errors import NotFoundError
from remit.operations.evidence.artifacts import put_artifact
from tests.integration.operations.filing import SMALL, objects_in, stored_rows


@pytest.fixture
def store(tmp_path: Path) -> FilesystemObjectStore:
    """Return a store that keeps what it is given."""
    return objects_in(tmp_path)


def test_evidence_for_a_directive_that_there_is_not_is_refused_by_whoever_stores_it(
    empty_engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    said: JsonObject = {"name": "notes.txt", "labels": {}, "filed_by": "ops"}
    about = NewEvent(uuid4(), "artifact.stored", "ops")
    with pytest.raises(NotFoundError, match="there is no directive"):
        put_artifact(
            empty_engine, store, "attachment", said, (BytesIO(SMALL), "text/plain"), about=about
        )
    assert stored_rows(empty_engine) == (0, 0)


@pytest.mark.parametrize(("size", "is_kept"), [(CONTENT_THRESHOLD_BYTES, False), (65_537, True)])
def test_metadata_moves_to_the_store_once_it_is_over_the_threshold(
    store: FilesystemObjectStore, size: int, *, is_kept: bool
) -> None:
    metadata: JsonObject = {"text": "x" * (size - len('{"text":""}'))}
    assert (place_json(store, metadata) is not None) == is_kept
    assert len(list(store.list_objects())) == is_kept
