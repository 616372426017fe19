"""Reads a file that a person or a program names: a policy, directives, a tour, a checkpoint.

A pipe that nobody writes to and a device that never ends are reported as what they are, in bounded
time and memory.
"""

import errno
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISFIFO, S_ISREG
from typing import BinaryIO

MOST_BYTES = 256 * 1024 * 1024
"""Largest file of many directives or notes; a policy is far smaller."""

_PIPE_SECONDS = 10

_READINGS = 50
_PAUSE_SECONDS = 0.002


def read_file(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Return what a file holds, at most `most` bytes.

    Raises:
        OSError: it cannot be read, is too large, or is a pipe that nobody writes to; `strerror`
            says which.
        ValueError: there can be no file of that name.
    """
    with _opened(path) as file:
        return read_bounded(file, most=most)


def read_settled(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Return what a file holds while nobody writes to it.

    It is read again until two readings in a row are the same, and its size and times with them:
    what is written over in place is half of this and half of that meanwhile. Whoever puts another
    file in its place with one rename disturbs nobody.

    Raises:
        OSError: as :func:`read_file`, or it goes on being written.
        ValueError: there can be no file of that name.
    """
    for _ in range(_READINGS):
        with _opened(path) as file:
            before = _state_of(file)
            data = read_bounded(file, most=most)
            if before is None:
                return data
            # Past the buffer of the open file, which would answer what it answered before.
            again = os.pread(file.fileno(), most + 1, 0)
            if data == again and before == _state_of(file):
                return data
        select.select([], [], [], _PAUSE_SECONDS)
    raise OSError(errno.EBUSY, "it is being written to")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    # Else the opening of a pipe would wait for its writer, without end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is open already
        if S_ISFIFO(os.fstat(descriptor).st_mode):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(_PIPE_SECONDS * 1000):
                raise OSError(errno.EAGAIN, "it is a pipe, and nobody writes to it")
        os.set_blocking(descriptor, True)
        yield file


def _state_of(file: BinaryIO) -> tuple[int, int, int] | None:
    """Return an open file's size and times; None when it cannot be read twice, as a pipe."""
    state = os.fstat(file.fileno())
    if not S_ISREG(state.st_mode):
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def read_bounded(source: BinaryIO, *, most: int = MOST_BYTES) -> bytes:
    """Return what is left to read of an open file."""
    data = source.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has over {most // 1024 // 1024} MiB")
    return data
