"""Which objects nothing refers to: what a crash may leave, and never what an artifact has."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import ObjectStore, ObjectStoreException, StoredObject
from remit.base.progress import tell_nobody
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.upkeep import (
    STORE_CLOCK_BEHIND,
    check_artifacts,
    unreferenced_objects,
)
from remit.operations.runs.beginning import start_run
from tests.integration.operations.filing import (
    LARGE,
    SMALL,
    Failing,
    file_one,
    objects_in,
    stored_rows,
)
from tests.support.contents import AUTHORITY, SHORT, finish, proposed
from tests.support.object_stores import object_file, put

NOW, AN_HOUR = timedelta(0), timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> FilesystemObjectStore:
    """Return a store that keeps what it is given."""
    return objects_in(tmp_path)


def age(folder: Path, key: str, hours: float) -> None:
    """Make an object older."""
    file = object_file(folder / "objects", key)
    then = file.stat().st_mtime - hours * 3600
    os.utime(file, (then, then))


def listed(engine: sa.Engine, store: ObjectStore, older_than: timedelta = NOW) -> list[str]:
    return [one.key for one in unreferenced_objects(engine, store, older_than=older_than)]


def test_young_ones_are_left_out_and_the_oldest_comes_first(
    empty_engine: sa.Engine, store: FilesystemObjectStore, tmp_path: Path
) -> None:
    young, old, oldest = (put(store, LARGE + bytes([number])).key for number in range(3))
    age(tmp_path, old, 1.5)
    age(tmp_path, oldest, 48)
    assert listed(empty_engine, store) == [oldest, old, young]
    assert listed(empty_engine, store, AN_HOUR) == [oldest, old]
    assert listed(empty_engine, store, timedelta(days=1)) == [oldest]
    assert listed(empty_engine, store, timedelta(days=3)) == []


def test_what_an_artifact_has_as_its_content_is_never_listed(
    empty_engine: sa.Engine, store: FilesystemObjectStore, tmp_path: Path
) -> None:
    kept = {file_one(empty_engine, store, LARGE + bytes([n])).content.uri for n in range(3)}
    file_one(empty_engine, store, SMALL)
    left = put(store, LARGE + b"left")
    for one in store.list_objects():
        age(tmp_path, one.key, 100)
    assert listed(empty_engine, store) == [left.key]
    assert not any(uri.endswith(left.key) for uri in kept)


def test_a_check_counts_every_artifact_and_those_whose_content_is_an_object(
    empty_engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    proposed(empty_engine)  # leaves evidence that has no content at all
    for content in (SMALL, LARGE, LARGE + b"more"):
        file_one(empty_engine, store, content)
    found = check_artifacts(empty_engine, store, tell_nobody)
    assert (found.checked, found.objects, found.problems, found.failed) == (4, 2, (), 0)


def test_an_object_of_the_same_digest_in_another_store_is_none_of_this_one_s(
    empty_engine: sa.Engine, store: FilesystemObjectStore
) -> None:
    file_one(empty_engine, store, LARGE)
    other = Failing("storage_error")
    other.name = "r2"
    [key] = [one.key for one in store.list_objects()]
    other._objects[key] = (LARGE, next(iter(store.list_objects())).modified_at)
    assert listed(empty_engine, store) == []
    assert listed(empty_engine, other) == [key]


def test_a_store_that_does_not_list_is_told_of(
    empty_engine: sa.Engine, store: FilesystemObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "objects").rename(tmp_path / "gone")
    with pytest.raises(ObjectStoreException, match="is gone"):
        listed(empty_engine, store)


PUTS = 60


def test_while_others_file_nothing_of_theirs_is_ever_listed_as_old(
    empty_engine: sa.Engine, store: FilesystemObjectStore, tmp_path: Path
) -> None:
    left = put(store, LARGE + b"left").key
    age(tmp_path, left, 2)
    done = Event()

    def look() -> list[list[str]]:
        found = []
        while not done.is_set():
            found.append(listed(empty_engine, store, AN_HOUR))
        return found

    with ThreadPoolExecutor(5) as threads:
        looking = threads.submit(look)
        try:
            list(
                threads.map(
                    lambda n: file_one(empty_engine, store, LARGE + bytes([n])), range(PUTS)
                )
            )
        finally:
            done.set()
        found = looking.result()
    assert len(found) > 1
    assert {tuple(keys) for keys in found} == {(left,)}
    assert stored_rows(empty_engine) == (PUTS, PUTS)
    assert listed(empty_engine, store) == [left]
    assert check_artifacts(empty_engine, store, tell_nobody).failed == 0


class Slow(FilesystemObjectStore):
    """Lists what there is, and hands it on once everything else has happened."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        super().__init__(folder)
        self.engine = engine

    def list_objects(self) -> Iterator[StoredObject]:
        """List, then file one more."""
        found: list[StoredObject] = list(super().list_objects())
        file_one(self.engine, FilesystemObjectStore(self._folder), LARGE + b"meanwhile")
        return iter(found)


def test_what_is_filed_while_the_store_is_being_listed_is_not_listed(
    empty_engine: sa.Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "objects"
    assert listed(empty_engine, Slow(folder, empty_engine)) == []


def test_what_a_run_under_way_may_have_emitted_is_no_leftover_by_a_clock_that_is_behind(
    empty_engine: sa.Engine, store: FilesystemObjectStore, tmp_path: Path
) -> None:
    found = proposed(empty_engine)
    run = start_run(empty_engine, found.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    emitted = put(store, LARGE).key
    age(tmp_path, emitted, STORE_CLOCK_BEHIND / timedelta(hours=2))
    assert listed(empty_engine, store) == []
    finish(empty_engine, run, ModuleOutput.success())
    assert listed(empty_engine, store) == [emitted]
