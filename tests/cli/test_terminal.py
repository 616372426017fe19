"""On a terminal: colors, short ids, and a question before a vote. A pseudo-terminal stands in."""

import json
import os
import pty
import subprocess
import time
from collections.abc import Mapping

from tests.cli.conftest import Remit, environment, program, propose_arguments


def on_a_terminal(answer: str, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run one command on a terminal, type an answer, and return exit code and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**{"TERM": "xterm", "COLUMNS": "100"} | variables),
        close_fds=True,
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    shown = b""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break  # the other end is closed
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(timeout=20), shown.decode().replace("\r\n", "\n")


def waiting(live: Remit) -> str:
    """Return the id of a directive that waits for a person."""
    shown = live(*propose_arguments(scope="staging"), "--json")
    identifier: str = json.loads(shown.out)["outcomes"][0]["directive"]["id"]
    return identifier


def test_a_vote_is_asked_for_and_no_is_exit_code_1(
    live: Remit, services: Mapping[str, str]
) -> None:
    identifier = waiting(live)
    arguments = ("approve", identifier, "--as", "bob")
    code, shown = on_a_terminal("n\n", *arguments, **services)
    assert (code, "approve this as bob? [y/N]: " in shown) == (1, True)
    assert shown.endswith("nothing was voted\n")
    code, shown = on_a_terminal("y\n", *arguments, **services)
    assert (code, "bob: approve  ->  \x1b[36mapproved" in shown) == (0, True)


def test_yes_asks_nothing(live: Remit, services: Mapping[str, str]) -> None:
    arguments = ("reject", waiting(live), "--as", "bob", "--reason", "no", "--yes")
    code, shown = on_a_terminal("", *arguments, **services)
    assert (code, "[y/N]" in shown) == (0, False)
    assert "blocked (rejected)" in shown


def test_ids_are_short_and_colors_end_where_no_color_says_so(
    live: Remit, services: Mapping[str, str]
) -> None:
    identifier = waiting(live)
    code, shown = on_a_terminal("", "list", "--limit", "1", **services)
    assert code == 0
    assert identifier[:8] in shown
    assert identifier not in shown
    assert "\x1b[33mproposed" in shown
    code, shown = on_a_terminal("", "list", "--limit", "1", NO_COLOR="1", **services)
    assert (code, "\x1b[3" in shown) == (0, False)
