"""How a process ends that has loaded Temporal's client, whose threads know no end of Python's."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Remit, Shown, environment

# A thread that is in the middle of something: the interpreter would wait for it without end.
ENDING = """
import atexit, sys, threading
from remit.cli import main
{loaded}
threading.Thread(target=threading.Event().wait, daemon={daemon}).start()
atexit.register(lambda: print("handlers ran"))
print("said", end=" ")
sys.argv = ["remit", *sys.argv[1:]]
main.main()
"""


def ended(arguments: list[str], *, loaded: str, daemon: bool) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", ENDING.format(loaded=loaded, daemon=daemon), *arguments],
        capture_output=True,
        text=True,
        timeout=40,
        env=environment(),
        check=False,
    )


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["nonsense"], 2)])
def test_with_temporal_loaded_a_process_ends_past_the_interpreter_s_own_end(
    arguments: list[str], code: int
) -> None:
    done = ended(arguments, loaded="import temporalio.client", daemon=False)
    assert (done.returncode, done.stdout[:5]) == (code, "said ")
    assert done.stdout.endswith("handlers ran\n")


def test_without_temporal_a_process_ends_as_every_other() -> None:
    done = ended(["--version"], loaded="", daemon=True)
    assert (done.returncode, done.stdout[-13:]) == (0, "handlers ran\n")


@pytest.mark.parametrize("threads", ["", "0", "many"])
def test_a_number_of_threads_that_rust_would_panic_over_is_refused(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("TOKIO_WORKER_THREADS", threads)
    line = "TOKIO_WORKER_THREADS is not usable: write a whole number from 1 to 9999, or unset it"
    assert remit("modules") == Shown(2, "", f"remit: {line}\n")
