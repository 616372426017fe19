"""Recording, knowing and ending processes; the processes here are small ones of our own."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.errors import UnavailableError
from remit.stack import guardian, process_identity
from remit.stack.process_identity import end_process, process_mark
from remit.stack.processes import ProcessSlot, Roster, last_line

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(python("import time; time.sleep(60)")) as child:
        yield child
        child.kill()


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(python(STUBBORN), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process_mark(pid) is None:
            return True
        time.sleep(0.02)
    return False


def test_a_mark_is_the_same_each_time_and_another_for_another_process(
    sleeper: subprocess.Popen[bytes],
) -> None:
    first = process_mark(sleeper.pid)
    assert first is not None
    assert process_mark(sleeper.pid) == first
    time.sleep(0.02)  # marks are as fine as the kernel's clock ticks
    with subprocess.Popen(python("import time; time.sleep(60)")) as other:
        assert process_mark(other.pid) != first
        other.kill()


def test_a_zombie_and_an_unused_id_have_no_mark(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    assert gone_within(sleeper.pid, 5)
    sleeper.wait()
    assert process_mark(sleeper.pid) is None


def test_a_mark_is_had_where_there_is_no_proc(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    monkeypatch.setattr(process_identity, "_BOOT_ID", Path("/nonexistent"))
    assert float(process_mark(sleeper.pid) or 0) == pytest.approx(time.time(), abs=60)
    sleeper.kill()
    assert gone_within(sleeper.pid, 5)
    sleeper.wait()
    assert process_mark(sleeper.pid) is None


def test_a_process_with_another_mark_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    assert not end_process(sleeper.pid, "somebody else", signal.SIGKILL, 1)
    assert sleeper.poll() is None


def test_a_process_that_ignores_its_signal_is_killed_after_the_grace(
    stubborn: subprocess.Popen[bytes],
) -> None:
    mark = process_mark(stubborn.pid)
    assert mark is not None
    assert end_process(stubborn.pid, mark, signal.SIGTERM, 0.1)
    assert stubborn.wait() == -signal.SIGKILL


def test_a_slot_runs_its_command_and_logs_to_a_private_file(tmp_path: Path) -> None:
    slot = ProcessSlot("it", None, signal.SIGTERM, 5)
    log = tmp_path / "log"
    assert slot.spawn(python("print('hello')"), log).wait() == 0
    assert (log.read_text(), log.stat().st_mode & 0o777) == ("hello\n", 0o600)
    assert slot.pid is None


def test_a_slot_ends_what_ignores_its_signal(tmp_path: Path) -> None:
    slot = ProcessSlot("it", None, signal.SIGTERM, 0.1)
    process = slot.spawn(python(STUBBORN), tmp_path / "log")
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)
    slot.stop()
    slot.stop()
    assert process.returncode == -signal.SIGKILL


def test_a_stopped_slot_takes_no_other_process(tmp_path: Path) -> None:
    slot = ProcessSlot("Temporal", None, signal.SIGTERM, 1)
    slot.stop()
    slot.send(signal.SIGTERM)
    with pytest.raises(UnavailableError, match=r"^Temporal was stopped while it started$"):
        slot.spawn(python(""), tmp_path / "log")


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    slot = ProcessSlot("Temporal", None, signal.SIGTERM, 1)
    with pytest.raises(UnavailableError) as caught:
        slot.spawn(("/nonexistent/temporal",), tmp_path / "log")
    assert str(caught.value) == (
        "Temporal cannot be started: /nonexistent/temporal: No such file or directory"
    )


def test_the_next_start_ends_what_the_last_one_recorded(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    file = tmp_path / "processes.json"
    Roster(file).add(sleeper.pid, signal.SIGTERM)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Roster(file).end_leftovers() == [sleeper.pid]
    assert sleeper.wait() == -signal.SIGTERM
    assert not file.exists()


def test_what_was_dropped_is_not_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "processes.json"
    roster = Roster(file)
    roster.add(sleeper.pid, signal.SIGTERM)
    roster.drop(sleeper.pid)
    assert Roster(file).end_leftovers() == []
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "{", "{}", "3", "[3]", '[{"pid": 1}]'])
def test_a_damaged_record_ends_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "processes.json"
    file.write_text(text)
    assert Roster(file).end_leftovers() == []


def test_closing_a_roster_ends_what_was_not_dropped_and_its_guardian(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    roster = Roster(tmp_path / "processes.json").open()
    watcher = roster.guardian_pid
    assert watcher is not None
    roster.add(sleeper.pid, signal.SIGTERM)
    assert json.loads((tmp_path / "processes.json").read_text())[0]["pid"] == sleeper.pid
    # The guardian asks whether the process is gone, and ours is not until somebody reaps it.
    sleeper.send_signal(signal.SIGTERM)
    sleeper.wait()
    roster.close()
    roster.close()
    assert roster.guardian_pid is None
    assert process_mark(watcher) is None


def test_a_roster_whose_guardian_was_killed_goes_on(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    roster = Roster(tmp_path / "processes.json").open()
    watcher = roster.guardian_pid
    assert watcher is not None
    guardian.send(watcher, signal.SIGKILL)
    assert gone_within(watcher, 5)
    roster.add(sleeper.pid, signal.SIGTERM)
    roster.drop(sleeper.pid)
    roster.close()


def test_the_guardian_remembers_what_was_added_and_not_dropped() -> None:
    lines = ["add 5 15\n", "add 6 2\n", "drop 5\n", "drop 9\n", "\n", "ad"]
    assert guardian.read_orders(lines) == {6: 2}


def test_the_guardian_asks_first_and_kills_after_the_grace(
    stubborn: subprocess.Popen[bytes],
) -> None:
    guardian.end({stubborn.pid: signal.SIGTERM, 2**22 + 1: signal.SIGTERM}, 0.2)
    assert stubborn.wait() == -signal.SIGKILL


def test_the_guardian_ends_its_charges_when_its_input_ends_and_heeds_no_signal_before(
    sleeper: subprocess.Popen[bytes],
) -> None:
    script = guardian.__file__
    with subprocess.Popen(
        [sys.executable, "-I", "-S", script], stdin=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        child.stdin.write(f"add {sleeper.pid} {int(signal.SIGTERM)}\n")
        child.stdin.flush()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert (child.poll(), sleeper.poll()) == (None, None)
        child.stdin.close()
        assert sleeper.wait(5) == -signal.SIGTERM
        assert child.wait(5) == 0


def test_the_guardian_turns_a_deaf_ear_to_what_ends_its_supervisor(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    ignored: list[tuple[int, object]] = []
    monkeypatch.setattr(signal, "signal", lambda *given: ignored.append(given))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"add {sleeper.pid} {int(signal.SIGTERM)}\n"))
    monkeypatch.setattr(guardian, "GRACE_SECONDS", 0.2)
    guardian.main()
    assert {number for number, _ in ignored} == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    assert {handler for _, handler in ignored} == {signal.SIG_IGN}
    assert sleeper.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("", ""), ("\n \n", ""), ("a\nb \n\n", "b"), ("x" * 400, "x" * 300)),
        ("initdb: error: could not write: No space left\ninitdb: removing contents",) * 2,
        ("FATAL:  old\n" + "line\n" * 20 + "last", "last"),
    ],
)
def test_the_last_line_of_a_log_is_its_last_that_says_something(
    tmp_path: Path, text: str, expected: str
) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_line(log) == expected.splitlines()[0] if expected else not last_line(log)


def test_a_log_that_is_missing_says_nothing(tmp_path: Path) -> None:
    assert last_line(tmp_path / "log") == ""
