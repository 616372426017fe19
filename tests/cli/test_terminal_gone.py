"""A terminal that goes away ends what only shows something, and is no defect."""

import os
import pty
import subprocess
from collections.abc import Mapping

import pytest

from tests.cli.conftest import Remit, environment, program, propose_arguments
from tests.cli.test_terminal import on_a_terminal

GOOD = '{"role": "operator", "type": "echo", "objective": "say hello", "scope": "test"}'


@pytest.mark.parametrize("command", [("top", "--every", "0.5"), ("watch",)])
def test_what_keeps_a_terminal_current_ends_with_it(
    live: Remit, services: Mapping[str, str], command: tuple[str, ...]
) -> None:
    assert live(*propose_arguments(), "--draft").code == 0
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program(*command),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(TERM="xterm", **services),
    )
    os.close(theirs)
    # It is not its controlling terminal, and so no signal comes: it has to see by itself.
    shown = b""
    while b"Ctrl-C" not in shown:
        shown += os.read(ours, 65536)
    os.close(ours)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


def test_a_person_is_told_that_standard_input_is_waited_for(services: Mapping[str, str]) -> None:
    arguments = ("propose", "-", "--draft")
    code, shown = on_a_terminal(f"{GOOD}\n\x04", *arguments, **services)
    assert (code, "reading standard input; Ctrl-D ends it" in shown) == (0, True)


@pytest.mark.parametrize("columns", ["0", "1", "-5", "abc", "999999999"])
def test_a_width_that_no_terminal_has_hides_nothing(
    services: Mapping[str, str], columns: str
) -> None:
    code, shown = on_a_terminal("", "modules", **services, COLUMNS=columns)
    assert (code, "echo" in shown) == (0, True)
