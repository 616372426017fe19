"""Where the embedded Postgres has its socket: in a folder that every path can lead to."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError
from remit.stack import postgres
from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from tests.integration.stack.conftest import mode_of, query


def test_a_path_too_long_for_a_socket_puts_it_in_a_private_temporary_folder(
    start: Callable[[DataDir], EmbeddedPostgres], room: Path
) -> None:
    server = start(DataDir(room / ("d" * 60) / ("e e" * 20)))
    assert query(server, "SELECT 1") == "1"
    folder = server._socket_dir
    assert folder.parent == Path(tempfile.gettempdir())
    assert mode_of(folder) == 0o700
    server.stop()
    assert not folder.exists()


@pytest.mark.parametrize("temporary", ["t" * 105, "a, b"])
def test_a_folder_for_temporary_files_that_cannot_hold_the_socket_is_passed_over(
    start: Callable[[DataDir], EmbeddedPostgres],
    room: Path,
    temporary: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(room / temporary))
    server = start(DataDir(room / "Doe, Jane" / ("d" * 60)))
    assert query(server, "SELECT 1") == "1"
    assert "," not in str(server._socket_dir)
    assert len(str(server._socket_dir)) < 90


def test_without_any_folder_for_the_socket_nothing_is_started(
    start: Callable[[DataDir], EmbeddedPostgres], room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_LONGEST_SOCKET", 10)
    with pytest.raises(MisconfiguredError, match=r"set TMPDIR to one, or .* --data-dir"):
        start(DataDir(room / "d"))
    assert not DataDir(room / "d").postgres.exists()


def test_a_socket_folder_that_others_could_have_made_is_refused(
    start: Callable[[DataDir], EmbeddedPostgres],
    room: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = DataDir(room / ("d" * 100))
    server = start(long)
    folder = server._socket_dir
    server.stop()
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)
    with pytest.raises(MisconfiguredError, match="belongs to someone else: remove it"):
        start(long)
    folder.rmdir()


def test_a_path_with_spaces_and_signs_is_quoted_in_the_url(
    start: Callable[[DataDir], EmbeddedPostgres], room: Path
) -> None:
    assert query(start(DataDir(room / "a b&c%")), "SELECT 1") == "1"
