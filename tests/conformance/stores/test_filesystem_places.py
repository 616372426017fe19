"""The store in a folder: what else may lie where an object or a folder should."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from remit.artifacts import filesystem
from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import ObjectStoreException, object_key
from tests.support.object_stores import keys, object_file, put, reason

CONTENT = b"evidence " * 10_000
KEY = object_key(CONTENT)
DIGEST = KEY.removeprefix("sha256/")


def as_folder(path: Path, _: Path) -> None:
    path.mkdir()


def as_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def as_dangling_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere.with_name("nowhere"))


def as_pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("replace", [as_folder, as_link, as_dangling_link, as_pipe])
def test_what_is_no_file_is_damage_and_is_not_followed(
    store: FilesystemObjectStore,
    folder: Path,
    tmp_path: Path,
    replace: Callable[[Path, Path], None],
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)  # even the right bytes: they could change at any time
    put(store, CONTENT)
    path = object_file(folder, KEY)
    path.unlink()
    replace(path, elsewhere)
    for call in (
        lambda: store.get(KEY),
        lambda: put(store, CONTENT),
        lambda: store.exists(KEY),
    ):
        assert reason(call) == ("storage_error", False)
    assert keys(store) == []
    assert elsewhere.read_bytes() == CONTENT


@pytest.mark.parametrize("where", ["sha256", f"sha256/{DIGEST[:2]}"])
def test_a_folder_that_became_a_link_is_not_followed(
    store: FilesystemObjectStore, folder: Path, tmp_path: Path, where: str
) -> None:
    put(store, CONTENT)
    moved = tmp_path / "moved"
    (folder / where).rename(moved)
    (folder / where).symlink_to(moved)
    for call in (
        lambda: store.get(KEY),
        lambda: put(store, CONTENT),
        lambda: store.exists(KEY),
    ):
        assert reason(call)[0] == "storage_error"
    if where != "sha256":
        assert keys(store) == []


def test_an_operator_may_name_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "objects").symlink_to(tmp_path / "disk")
    store = FilesystemObjectStore(tmp_path / "objects")
    put(store, CONTENT)
    assert store.get(KEY) == CONTENT


@pytest.mark.parametrize("gone", ["", "sha256"])
def test_a_disk_that_is_gone_is_not_taken_for_missing_evidence(
    store: FilesystemObjectStore, folder: Path, gone: str
) -> None:
    put(store, CONTENT)
    (folder / gone).rename(folder.with_name("elsewhere"))
    for call in (
        lambda: store.get(KEY),
        lambda: store.exists(KEY),
        lambda: put(store, CONTENT),
        lambda: keys(store),
    ):
        with pytest.raises(ObjectStoreException, match="is gone: is its disk there") as caught:
            call()
        assert (caught.value.reason, caught.value.retryable) == ("storage_error", True)


def test_a_listing_that_cannot_be_read_is_not_an_empty_one(
    store: FilesystemObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, CONTENT)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(filesystem, "_objects_of", fail)
        assert reason(lambda: keys(store)) == ("storage_error", True)


def test_an_object_on_another_shelf_is_not_listed(
    store: FilesystemObjectStore, folder: Path
) -> None:
    (folder / "sha256" / "zz").mkdir()
    (folder / "sha256" / "zz" / DIGEST).write_bytes(CONTENT)
    assert keys(store) == []
