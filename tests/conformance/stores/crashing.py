"""A process that is killed while it puts: `python crashing.py <folder>`.

It forks once for each line that a put, and the making of a store, runs through; each child kills
itself with SIGKILL on reaching that line. What the next process finds is printed as one JSON object
a line, and the last line is of a child that came through.

Run as a script: a test process has threads, and may not fork.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from remit.artifacts import filesystem
from remit.artifacts.filesystem import UNFINISHED, FilesystemObjectStore
from remit.artifacts.store import ObjectStoreException, ObjectStoreRequest, object_key

CONTENT = b"evidence " * 500
WRITTEN_AT_ONCE = 1000
"""Bytes that one write takes in the child, so that some children die in the midst of a file."""

Trace = Callable[[FrameType, str, Any], Any]


def killing(at: int) -> Trace:
    """Return a trace function that kills this process at one line of the store's code."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Trace | None:
        nonlocal seen
        if frame.f_code.co_filename != filesystem.__file__:
            return None
        if event == "line":
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def put(folder: Path) -> bool:
    """Put the content; return whether it was created."""
    request = ObjectStoreRequest(object_key(CONTENT), CONTENT)
    return FilesystemObjectStore(folder).put(request).created


def die(folder: Path, at: int) -> None:
    """Put, and be killed on reaching a line."""
    write = os.write

    def write_little(descriptor: int, data: memoryview) -> int:
        return write(descriptor, data[:WRITTEN_AT_ONCE])

    os.write = write_little  # type: ignore[assignment] # the store hands over nothing else
    sys.settrace(killing(at))
    put(folder)
    sys.settrace(None)


def found(folder: Path) -> str:
    """Return what the next process finds under the key: absent, whole, or what is wrong."""
    try:
        content = FilesystemObjectStore(folder).get(object_key(CONTENT))
    except ObjectStoreException as error:
        return "absent" if error.reason == "not_found" else error.message
    return "whole" if content == CONTENT else "wrong"


def look(folder: Path, *, killed: bool) -> dict[str, object]:
    """Return what was left, and what a put makes of it."""
    first = found(folder)
    listed = len(list(FilesystemObjectStore(folder).list_objects()))
    left = len(os.listdir(folder / UNFINISHED))  # noqa: PTH208 - a number is all that is asked
    created = put(folder)
    return {
        "killed": killed,
        "found": first,
        "listed": listed,
        "left": left,
        "created": created,
        "then": found(folder),
    }


def main() -> None:
    """Kill one child at each line."""
    root = Path(sys.argv[1])
    at, killed = 0, True
    while killed:
        at += 1
        folder = root / str(at)
        child = os.fork()
        if child == 0:
            die(folder, at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        assert killed or status == 0, status
        print(json.dumps(look(folder, killed=killed)))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
