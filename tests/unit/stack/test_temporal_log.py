"""What the log of a Temporal server that ended says: whether to try again, and what to tell."""

from pathlib import Path

import pytest

from remit.stack.temporal import _complaint, _names_a_port

STACK = "\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:18 +0x8e\n"


@pytest.mark.parametrize(
    "said",
    [
        "panic: failed to assign a free port: listen tcp",
        "panic: failed assigning ephemeral port: dial tcp",
        "listen tcp 127.0.0.1:7233: bind: address already in use",
    ],
)
def test_trouble_with_a_port_is_found_wherever_it_stands(tmp_path: Path, said: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"started\n{said}{STACK * 20}")
    assert _names_a_port(log)


def test_anything_else_is_no_reason_to_try_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"panic: file is not a database{STACK}")
    assert not _names_a_port(log)
    assert not _names_a_port(tmp_path / "none")


def test_a_panic_is_told_in_its_own_words_and_not_by_its_stack(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"started\npanic: file is not a database{STACK}")
    assert _complaint(log) == "panic: file is not a database"
    log.write_text("started\nError: no such namespace\n")
    assert _complaint(log) == "Error: no such namespace"
    assert _complaint(tmp_path / "none") == ""
