"""`remit top`: the overview in a pipe, as JSON, and live on a terminal until Ctrl-C."""

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.audit.overview import MOST_COUNTED, PendingApproval, StatusCount
from remit.cli.views.top import Table, aligned_tables, length, tables_of
from remit.operations.evidence.overview import Overview
from remit.stack.postgres import SUPERUSER
from tests.cli.conftest import Remit, environment, program
from tests.support.contents import proposed, waiting

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SHOWN_SECONDS = 40.0


def overview(**changes: object) -> Overview:
    """Return an overview of nothing, but for what is changed."""
    fields: dict[str, object] = {"at": NOON, "window_seconds": 3600.0, "pending": 0}
    parts = ("statuses", "recent", "verdicts", "approvals", "running", "endings", "memory_reads")
    return Overview(**(fields | dict.fromkeys(parts, ()) | changes))  # type: ignore[arg-type]


def pending(**changes: object) -> PendingApproval:
    """Return an approval that is waited for."""
    fields: dict[str, object] = {
        "directive_id": UUID(int=5),
        "type": "echo",
        "scope": "staging",
        "issued_by": "planner",
        "approvals": 1,
        "required_approvals": 2,
        "expires_at": NOON,
        "left_seconds": 90.0,
    }
    return PendingApproval(**(fields | changes))  # type: ignore[arg-type]


def table(shown: Overview, first: str) -> Table:
    """Return the table whose first column has this name."""
    [found] = [each for each in tables_of(shown) if each.header[0] == first]
    return found


def texts(found: Table) -> list[list[str]]:
    """Return the rows of a table as text."""
    return [[each if isinstance(each, str) else each.text for each in row] for row in found.rows]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.0, "0 ms"), (0.0124, "12 ms"), (0.9996, "1 s"), (1.0, "1 s"), (2.54, "2.5 s")),
        *((10.4, "10 s"), (59.4, "59 s"), (60, "1 min"), (130, "2 min 10 s"), (3600, "1 h")),
        *((5000, "1 h 23 min"), (86400, "1 d"), (200000, "2 d 7 h"), (-90, "-1 min 30 s")),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert length(seconds) == words


def test_a_count_that_ended_somewhere_says_so() -> None:
    counts = (StatusCount("complete", MOST_COUNTED, 9.0), StatusCount("proposed", 1, 61.0))
    assert texts(table(overview(statuses=counts), "DIRECTIVES")) == [
        ["complete", "50,000+", "0", "-"],
        ["proposed", "1", "0", "1 min 1 s"],
    ]


@pytest.mark.parametrize(
    ("left", "words"), [(90.0, "1 min 30 s"), (0.0, "ran out"), (-5.0, "ran out"), (7200, "2 h")]
)
def test_a_waiting_approval_tells_the_time_left(left: float, words: str) -> None:
    found = table(overview(approvals=(pending(left_seconds=left),)), "WAITS FOR APPROVAL")
    assert texts(found)[0][1:] == [words, "1 of 2", "planner", "echo in staging"]


@pytest.mark.parametrize("field", ["type", "scope", "issued_by"])
def test_what_could_deceive_is_shown_as_its_escape(field: str) -> None:
    hostile = pending(**{field: "a\u202eb\x1b[2Jc"})
    lines = "\n".join(aligned_tables(tables_of(overview(approvals=(hostile,)))))
    assert r"a\u202eb\u001b[2Jc" in lines
    assert "\u202e" not in lines
    assert "\x1b" not in lines


def test_in_a_pipe_it_prints_once_and_every_table(keeper: Remit, kept_in: sa.Engine) -> None:
    waits = waiting(kept_in)
    blocked = proposed(kept_in, type="unheard-of")
    shown = keeper("top")
    assert (shown.code, shown.err) == (0, "")
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert lines[0].startswith("remit at 20")
    assert lines[0].endswith("; lately: the last 1 h")
    assert "proposed 1 1" in "\n".join(lines)
    assert "the gate block 1" in lines
    assert "tool_allowlist block 1" in lines
    assert "policy 1" in lines
    assert [line for line in lines if line.startswith(f"{waits.id} ")]
    [ended] = [line for line in lines if line.startswith(f"{blocked.id} ")]
    assert ended.endswith("blocked (policy) unheard-of in test")
    assert "\x1b" not in shown.out


def test_an_empty_database_is_told_in_words(keeper: Remit) -> None:
    shown = keeper("top", "--once")
    assert shown.code == 0
    assert "none lately" in shown.out
    assert "nothing lately" in shown.out


def test_json_is_one_document(keeper: Remit, kept_in: sa.Engine) -> None:
    waits = waiting(kept_in)
    shown = keeper("top", "--json")
    found = json.loads(shown.out)
    assert list(found) == [
        *("at", "window_seconds", "statuses", "recent", "verdicts", "approvals", "running"),
        *("endings", "memory_reads", "pending"),
    ]
    [approval] = found["approvals"]
    assert (approval["directive_id"], approval["scope"]) == (str(waits.id), "staging")
    assert 0 < approval["left_seconds"] <= 86400 * 7
    assert {"policy": "", "verdict": "require_approval", "count": 1} in found["verdicts"]


@pytest.mark.parametrize("every", ["0", "0.4", "3601", "often", "nan", "inf"])
def test_how_often_it_looks_has_bounds(remit: Remit, every: str) -> None:
    shown = remit("top", "--every", every)
    assert (shown.code, shown.out) == (2, "")
    assert "--every" in shown.err


def test_a_database_that_does_not_answer_is_refused(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    shown = remit("top")
    assert (shown.code, shown.out) == (2, "")
    assert "does not answer" in shown.err


Until = Callable[[str], str]
"""Reads what the terminal is shown until it holds a text, and returns it."""


@contextmanager
def on_a_terminal(
    variables: Mapping[str, str], *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", Until]]:
    """Run `remit top` on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program("top", *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm", COLUMNS="120", LINES="60", **variables),
        close_fds=True,
    )
    os.close(theirs)

    def until(text: str) -> str:
        shown = b""
        deadline = time.monotonic() + SHOWN_SECONDS
        while text not in shown.decode(errors="replace") and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    break  # the other end is closed
        return shown.decode(errors="replace")

    try:
        yield process, until
    finally:
        process.kill()
        process.wait(timeout=20)
        os.close(ours)


@contextmanager
def shut(engine: sa.Engine) -> Iterator[None]:
    """Let a database end the sessions of commands, and take no new ones."""
    outside = sa.create_engine(
        engine.url.set(username=SUPERUSER, database="postgres"),
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
    )
    name = str(engine.url.database)
    with outside.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = :name AND application_name = 'remit-cli'"
            ),
            {"name": name},
        )
        try:
            yield
        finally:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


@pytest.fixture
def variables(keeper: Remit) -> Mapping[str, str]:
    """Return where `keeper` finds its database, for a program of its own."""
    return {name: os.environ[name] for name in ("DATABASE_URL", "REMIT_DATA_DIR")}


def test_on_a_terminal_it_stays_current_until_ctrl_c(
    variables: Mapping[str, str], kept_in: sa.Engine
) -> None:
    with on_a_terminal(variables, "--every", "0.5") as (process, until):
        first = until("Ctrl-C ends")
        assert "\x1b[?1049h" in first, "it has a screen of its own"
        identifier = str(waiting(kept_in).id)
        assert identifier[:8] in until(identifier[:8])
        process.send_signal(signal.SIGINT)
        last = until("\x1b[?1049l")
        assert "\x1b[?1049l" in last, "the terminal is as it was"
        assert "Traceback" not in last
        assert process.wait(timeout=20) == 0


def test_a_database_that_goes_away_is_said_and_waited_for(
    variables: Mapping[str, str], kept_in: sa.Engine
) -> None:
    with on_a_terminal(variables, "--every", "0.5") as (process, until):
        until("Ctrl-C ends")
        with shut(kept_in):
            assert "this is old: the database at" in until("this is old")
        identifier = str(waiting(kept_in).id)[:8]
        assert identifier in until(identifier)
        process.send_signal(signal.SIGINT)
        until("\x1b[?1049l")
        assert process.wait(timeout=20) == 0


def test_once_on_a_terminal_it_prints_in_color_and_ends(
    variables: Mapping[str, str], kept_in: sa.Engine
) -> None:
    identifier = str(waiting(kept_in).id)
    with on_a_terminal(variables, "--once") as (process, until):
        shown = until("ENDED LAST")
        assert "\x1b[33mproposed" in shown
        assert identifier[:8] in shown
        assert identifier not in shown
        assert process.wait(timeout=20) == 0
