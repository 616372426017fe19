"""Files that a person names: whatever they are, they are read whole or refused."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from remit import user_files
from remit.cli.base.directive_input import read_text
from remit.errors import InvalidInputError
from remit.policy.config import load_policy
from remit.tour.script import load_script
from remit.user_files import read_file, read_settled

Reader = Callable[[Path], object]
READERS: tuple[Reader, ...] = (load_policy, load_script, lambda path: read_text(str(path)))


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    assert read_file(tmp_path / "file") == b"x" * 100_000
    assert len(read_file(tmp_path / "file", most=100_000)) == 100_000


def test_a_pipe_is_read_until_its_writer_ends(tmp_path: Path) -> None:
    pipe, text = tmp_path / "pipe", b"y" * 200_000
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(text,))
    writer.start()
    try:
        assert read_file(pipe) == text
    finally:
        writer.join()


@pytest.mark.parametrize("read", READERS)
def test_a_pipe_that_nobody_writes_to_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Reader
) -> None:
    monkeypatch.setattr(user_files, "_PIPE_SECONDS", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="it is a pipe, and nobody writes to it"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("read", READERS)
def test_a_device_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch, read: Reader) -> None:
    monkeypatch.setattr(user_files.read_file, "__kwdefaults__", {"most": 1024 * 1024})
    with pytest.raises(InvalidInputError, match="it has over 1 MiB"):
        read(Path("/dev/zero"))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("path", ["missing", ".", "a\0b", "x" * 300])
def test_what_is_no_file_is_refused(tmp_path: Path, read: Reader, path: str) -> None:
    with pytest.raises(InvalidInputError):
        read(tmp_path / path)


def test_a_file_that_changes_between_two_readings_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "file", os.pread
    changes = iter([b"half", b"a whole", b""])

    def disturbed(*arguments: int) -> bytes:
        if change := next(changes):
            path.write_bytes(change)
        return read(*arguments)

    path.write_bytes(b"old")
    monkeypatch.setattr(os, "pread", disturbed)
    assert read_settled(path) == b"a whole"


def test_a_file_of_which_only_the_time_changes_between_two_readings_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "file", os.pread
    times = iter([1, 2])

    def disturbed(*arguments: int) -> bytes:
        # What stood there between the readings is there no more, and may have been read in parts.
        for seconds in times:
            os.utime(path, (seconds, seconds))
            break
        return read(*arguments)

    path.write_bytes(b"old")
    monkeypatch.setattr(os, "pread", disturbed)
    assert read_settled(path) == b"old"
    assert not list(times)


def test_a_file_that_goes_on_being_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "file", os.pread

    def disturbed(*arguments: int) -> bytes:
        with path.open("ab") as file:
            file.write(b".")
        return read(*arguments)

    path.write_bytes(b"old")
    monkeypatch.setattr(os, "pread", disturbed)
    monkeypatch.setattr(user_files, "_PAUSE_SECONDS", 0)
    with pytest.raises(InvalidInputError, match="it is being written to"):
        load_policy(path)


def test_a_pipe_need_not_stay_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"z" * 200_000,))
    writer.start()
    try:
        assert read_settled(pipe) == b"z" * 200_000
    finally:
        writer.join()
