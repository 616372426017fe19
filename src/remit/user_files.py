"""Reads a file that a person or a program names: a policy, directives, a tour, a checkpoint.

It need not be an ordinary one: a pipe that nobody writes to and a device that never ends are told
of as what they are, in bounded time and memory.
"""

import errno
import os
import select
from pathlib import Path
from stat import S_ISFIFO
from typing import BinaryIO

MOST_BYTES = 256 * 1024 * 1024
"""Largest file of many directives or notes; a policy is far smaller."""

_PIPE_SECONDS = 10


def read_file(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Return what a file holds.

    Args:
        path: the file.
        most: how many bytes it may have.

    Raises:
        OSError: it cannot be read, is too large, or is a pipe that nobody writes to; `strerror`
            says which.
        ValueError: there can be no file of that name.
    """
    # Else the opening of a pipe would wait for its writer, without end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is open already
        if S_ISFIFO(os.fstat(descriptor).st_mode):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(_PIPE_SECONDS * 1000):
                raise OSError(errno.EAGAIN, "it is a pipe, and nobody writes to it")
        os.set_blocking(descriptor, True)
        return read_bounded(file, most=most)


def read_bounded(source: BinaryIO, *, most: int = MOST_BYTES) -> bytes:
    """Return what is left to read of an open file.

    Raises:
        OSError: it cannot be read, or is too large.
    """
    data = source.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has over {most // 1024 // 1024} MiB")
    return data
