"""The store in a folder: kills, full disks, and what else may lie where an object should."""

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from remit.artifacts import filesystem
from remit.artifacts.filesystem import UNFINISHED, UNFINISHED_KEPT, FilesystemObjectStore
from remit.artifacts.store import object_key
from tests.support.object_stores import keys, object_file, put, reason
from tests.support.races import at_once

HERE = Path(__file__).parent
CONTENT = b"evidence " * 10_000
KEY = object_key(CONTENT)
DIGEST = KEY.removeprefix("sha256/")


def run(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_kill_at_any_line_leaves_a_whole_object_or_none(tmp_path: Path) -> None:
    ends = [json.loads(line) for line in run("crashing.py", str(tmp_path))]
    assert len(ends) > 60
    assert [end["killed"] for end in ends] == [True] * (len(ends) - 1) + [False]
    for at, end in enumerate(ends, start=1):
        present = end["found"] == "whole"
        assert end["found"] in {"absent", "whole"}, (at, end)
        assert end["listed"] == int(present), (at, end)
        assert end["created"] == (not present), (at, end)
        assert end["then"] == "whole", (at, end)
    seen = {(end["found"], end["left"]) for end in ends}
    # Killed before anything was written, in the midst, between link and unlink, and afterwards.
    assert seen == {("absent", 0), ("absent", 1), ("whole", 1), ("whole", 0)}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | str]]:
    """Return what is synced, by inode, and what is linked, by name, in the order of both."""
    steps: list[tuple[str, int | str]] = []
    sync, link = filesystem._sync, os.link

    def synced(descriptor: int) -> None:
        sync(descriptor)
        steps.append(("sync", os.fstat(descriptor).st_ino))

    def linked(source: str, name: str, **options: Any) -> None:
        link(source, name, **options)
        steps.append(("link", name))

    monkeypatch.setattr(filesystem, "_sync", synced)
    monkeypatch.setattr(os, "link", linked)
    return steps


def test_the_file_and_then_its_name_are_synced_before_a_put_returns(
    store: FilesystemObjectStore, folder: Path, steps: list[tuple[str, int | str]]
) -> None:
    path = object_file(folder, KEY)
    path.parent.rmdir()
    assert put(store, CONTENT).created
    file, shelf, objects = (each.stat().st_ino for each in (path, *list(path.parents)[:2]))
    assert steps == [("sync", file), ("link", DIGEST), ("sync", shelf), ("sync", objects)]
    steps.clear()
    # Whoever is told that it was there already may rely on it as well.
    assert not put(store, CONTENT).created
    assert steps == [("sync", shelf), ("sync", objects)]


def test_an_object_that_is_put_again_is_as_young_as_that_put(
    store: FilesystemObjectStore, folder: Path
) -> None:
    put(store, CONTENT)
    file = object_file(folder, KEY)
    first = file.stat().st_mtime_ns
    os.utime(file, (0, 0))
    # Its row is not stored yet, so whoever lists leftovers must take it for a young one.
    assert not put(store, CONTENT).created
    assert file.stat().st_mtime_ns >= first


def test_a_new_folder_is_synced_into_every_folder_that_was_made_for_it(
    tmp_path: Path, steps: list[tuple[str, int | str]]
) -> None:
    folder = tmp_path / "a" / "b" / "c"
    FilesystemObjectStore(folder)
    below = (folder, *list(folder.parents)[:3])
    assert set(steps) == {("sync", path.stat().st_ino) for path in below}


def test_only_the_owner_may_read_and_nobody_may_write(
    store: FilesystemObjectStore, folder: Path
) -> None:
    folder.chmod(0o755)
    previous = os.umask(0)
    try:
        put(store, CONTENT)
    finally:
        os.umask(previous)
    found = {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }
    assert found == {
        UNFINISHED: 0o700,
        "sha256": 0o700,
        f"sha256/{DIGEST[:2]}": 0o700,
        f"sha256/{DIGEST[:2]}/{DIGEST}": 0o400,
    }


def test_eight_processes_may_put_the_same_content_at_once(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from remit.artifacts.filesystem import FilesystemObjectStore as S;"
        "from remit.artifacts.store import ObjectStoreRequest as R, object_key as k;"
        "c = b'evidence ' * 10_000; sys.stdin.read();"
        "print(S(Path(sys.argv[1])).put(R(k(c), c)).created)"
    )
    command = [sys.executable, "-c", code, str(folder)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    answers = [process.communicate(timeout=50)[0].strip() for process in running]
    assert sorted(answers) == ["False"] * 7 + ["True"]
    store = FilesystemObjectStore(folder)
    assert keys(store) == [KEY]
    assert store.get(KEY) == CONTENT
    assert list((folder / UNFINISHED).iterdir()) == []


def test_the_loser_of_a_race_reads_what_the_winner_wrote(
    store: FilesystemObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "_present", lambda *_: False)
    answers = at_once(lambda _: put(store, CONTENT))
    assert sorted(answer.created for answer in answers) == [False] * 7 + [True]
    object_file(folder, KEY).write_bytes(b"something else")
    assert reason(lambda: put(store, CONTENT)) == ("storage_error", False)
    assert list((folder / UNFINISHED).iterdir()) == []


def test_a_full_disk_leaves_nothing_and_may_be_tried_again(folder: Path) -> None:
    kind, retryable, message, left = json.loads(run("unprivileged.py", "full", str(folder))[0])
    assert (kind, retryable, left) == ("storage_error", True, 0)
    assert str(folder) in message
    store = FilesystemObjectStore(folder)
    assert keys(store) == []
    assert put(store, b"x" * 100_000).created


def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "objects"
        FilesystemObjectStore(folder)
        for path in (folder / "sha256", folder / UNFINISHED, folder, Path(parent)):
            path.chmod(0o555)
        kind, retryable, message, _ = json.loads(
            run("unprivileged.py", "forbidden", str(folder))[0]
        )
        for path in (Path(parent), folder, folder / UNFINISHED, folder / "sha256"):
            path.chmod(0o700)
    assert (kind, retryable) == ("misconfigured", False)
    assert "OBJECT_STORE_DIR" in message


def test_a_folder_that_is_a_file_is_refused(folder: Path) -> None:
    folder.write_text("no folder")
    assert reason(lambda: FilesystemObjectStore(folder)) == ("misconfigured", False)


@pytest.mark.parametrize("step", ["write", "fsync", "link", "mkdir"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, ("storage_error", True)),
        (errno.EDQUOT, ("storage_error", True)),
        (errno.EIO, ("storage_error", True)),
        (errno.EFBIG, ("storage_error", True)),
        (errno.EMFILE, ("storage_error", True)),
        (errno.EACCES, ("misconfigured", False)),
        (errno.EPERM, ("misconfigured", False)),
        (errno.EROFS, ("misconfigured", False)),
        (errno.ENOTSUP, ("misconfigured", False)),
    ],
)
def test_a_step_that_fails_leaves_no_object(
    store: FilesystemObjectStore,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
    expected: tuple[str, bool],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        assert reason(lambda: put(store, CONTENT)) == expected
    assert keys(store) == []
    assert list((folder / UNFINISHED).iterdir()) == []
    assert put(store, CONTENT).created


def test_a_name_that_cannot_be_synced_is_not_acknowledged(
    store: FilesystemObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, count = os.fsync, iter(range(9))

    def fail(descriptor: int) -> None:
        if next(count) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    assert reason(lambda: put(store, CONTENT)) == ("storage_error", True)
    assert not put(store, CONTENT).created
    assert store.get(KEY) == CONTENT


def test_what_is_unfinished_is_no_object_and_is_swept_when_old(folder: Path) -> None:
    unfinished = folder / UNFINISHED
    FilesystemObjectStore(folder)
    old, new = unfinished / "old", unfinished / DIGEST
    for path in (old, new):
        path.write_bytes(CONTENT)
    (unfinished / "folder").mkdir()
    past = time.time() - UNFINISHED_KEPT.total_seconds() - 1
    for path in (old, unfinished / "folder"):
        os.utime(path, (past, past))
    store = FilesystemObjectStore(folder)
    assert sorted(path.name for path in unfinished.iterdir()) == sorted(["folder", DIGEST])
    assert keys(store) == []
    assert reason(lambda: store.get(KEY)) == ("not_found", False)
