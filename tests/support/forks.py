"""Command lines with streams in any state, each in a process that is forked and not started.

A `remit` of its own takes a second to load. Here one process loads all of it once, and is forked
for each command line: it gets its descriptors and its variables, makes Python's streams of them as
a start would, and runs `main`. `python -m tests.support.forks` is that process; it reads one JSON
request a line, and answers each with an exit code. Its coverage is not measured: no fork would
report any, since a command ends by `os._exit`.
"""

import contextlib
import gc
import json
import os
import pkgutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

SECONDS = 40
"""How long a command line may take; SIGALRM ends it then."""

_DRIVERS = ("psycopg", "temporalio.client")
"""What the first call of a server would load."""


@dataclass(frozen=True)
class Ended:
    """What a command line left behind: its exit code, -N for a signal, and what it wrote."""

    code: int
    out: str
    err: str


class Forks:
    """The process that is forked.

    Args:
        folder: where what is written is kept until it is read.
        variables: the environment of every command line.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS_")},
        )

    def run(
        self,
        *arguments: str,
        stdin: str = "null",
        stdout: str = "file",
        stderr: str = "file",
        encoding: str = "utf-8",
        **variables: str,
    ) -> Ended:
        """Run one command line to its end.

        Args:
            arguments: without the program's name; bytes that are not UTF-8 as lone surrogates.
            stdin: null, closed, terminal, or file with the text of `given`.
            stdout: file, closed, full, or gone (a pipe that nobody reads).
            stderr: likewise.
            encoding: what Python takes both to be.
            variables: more of its environment.
        """
        out, err = (self._folder / name for name in ("out", "err"))
        for each in (out, err):
            each.write_bytes(b"")
        request = {
            "arguments": arguments,
            "streams": [stdin, stdout, stderr],
            "files": [str(self._folder / "in"), str(out), str(err)],
            "encoding": encoding,
            "variables": self._variables | variables,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Ended(code, out.read_bytes().decode(encoding), err.read_bytes().decode(encoding))

    def give(self, text: str) -> None:
        """Set what standard input holds where it is a file."""
        (self._folder / "in").write_text(text, encoding="utf-8")

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=SECONDS)


@contextlib.contextmanager
def forking(folder: Path, variables: Mapping[str, str]) -> Iterator[Forks]:
    """Yield what forks, and end it."""
    folder.mkdir()
    forks = Forks(folder, variables)
    try:
        yield forks
    finally:
        forks.close()


def _open(number: int, state: str, file: str) -> TextIO | None:
    """Put one standard stream into a state, and return what Python would make of it."""
    if state == "closed":
        os.close(number)
        return None
    if state == "gone":
        unread, opened = os.pipe()
        os.close(unread)
    elif state == "terminal":
        _, opened = os.openpty()
    else:
        path = {"full": "/dev/full", "null": os.devnull}.get(state, file)
        opened = os.open(path, os.O_WRONLY if number else os.O_RDONLY)
    os.dup2(opened, number)
    os.close(opened)
    return open(number, "w" if number else "r", closefd=False)


def _child(request: Mapping[str, Any]) -> int:
    """Run one command line in the process that was forked for it; return its exit code."""
    from remit.cli.main import main

    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(request["variables"])
    opened = [_open(number, *pair) for number, pair in enumerate(_pairs(request))]
    for stream in opened[1:]:
        if stream is not None:
            stream.reconfigure(encoding=request["encoding"])  # type: ignore[attr-defined]
    sys.stdin, sys.stdout, sys.stderr = opened
    sys.argv = ["remit", *request["arguments"]]
    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return 0


def _pairs(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(zip(request["streams"], request["files"], strict=True))


def _load() -> None:
    """Load what any command may need, and take it out of the collector's sight."""
    import remit

    found = pkgutil.walk_packages(remit.__path__, "remit.")
    names = (each.name for each in found if "migrations" not in each.name)
    for each in (*_DRIVERS, *names):
        if each != "remit.__main__":
            import_module(each)
    gc.collect()
    gc.freeze()


def _serve() -> None:
    """Fork for each request, and write what its exit code was."""
    _load()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = _child(json.loads(line))
                # As the interpreter's end does, which says 120 when it cannot.
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
            except BaseException:  # noqa: BLE001 - a process that must not go on as this one
                code = 120
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
