"""The standard streams of this process, in whatever state they were handed to it.

`main` takes them over first of all. From then on no write to them fails, whoever writes: Typer,
Rich, a log handler, a thread in the background. What cannot be said must not undo what was done.
Why it could not be said is remembered, for whoever has to tell it by an exit code.
"""

import codecs
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, BinaryIO, TextIO

from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Sink(io.RawIOBase):
    """The system's end of an output stream: takes everything, and drops what the system refuses.

    Its descriptor is -1 where the process was started without this stream.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        # Why output is lost. Nothing is written after the first loss: what was written has no hole.
        self.failure: OSError | None = None
        # Whether a write waits for a reader that is slow. Else it is dropped.
        self.waits = True

    def writable(self) -> bool:
        """Return true."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def is_gone(self) -> bool:
        """Return whether nobody can read what is written from now on."""
        return self.failure is not None or bool(self._poll(0, 0) & _GONE)

    def has_left(self) -> bool:
        """Return whether what is lost is so because its reader, or the terminal, has gone."""
        if self.failure is None:
            return False
        hung_up = self.failure.errno == errno.EIO and self._poll(0, 0) & select.POLLHUP
        return isinstance(self.failure, BrokenPipeError) or bool(hung_up)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some bytes, all of them unless the system takes fewer; return how many."""
        whole = memoryview(data).nbytes
        while self.failure is None and (self.waits or self._poll(select.POLLOUT, 0)):
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Whoever shares this stream has made it so that a write does not wait.
                self._poll(select.POLLOUT, None)
            except OSError as error:
                self.failure = error
        return whole

    def _poll(self, events: int, milliseconds: int | None) -> int:
        if self._descriptor < 0:
            return select.POLLNVAL
        poll = select.poll()
        poll.register(self._descriptor, events)
        return sum(found for _, found in poll.poll(milliseconds))


def take_over() -> None:
    """Make standard output and standard error safe to write to.

    A stream that the process was started without is opened on /dev/null: else the next file or
    socket would get its number, and whatever is printed would go there.
    """
    missing = {number for number in range(3) if not _is_open(number)}
    for _ in missing:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
    sys.stdout = _safe(sys.stdout, 1, missing)
    sys.stderr = _safe(sys.stderr, 2, missing)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _safe(former: TextIO | None, number: int, missing: set[int]) -> TextIO:
    """Return a stream that takes the place of Python's own, which is None where there is none."""
    sink = Sink(-1 if former is None or number in missing else number)
    encoding = getattr(former, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(sink),
        encoding=encoding,
        errors="backslashreplace",  # what the encoding lacks is shown as an escape
        line_buffering=number == 2 or sink.isatty(),  # noqa: PLR2004 - standard error
    )


def _sink(stream: TextIO) -> Sink | None:
    """Return the end of a stream; None for one that is not ours, as in tests."""
    found = getattr(getattr(stream, "buffer", None), "raw", None)
    return found if isinstance(found, Sink) else None


def loss(stream: TextIO) -> str | None:
    """Return why something that was printed is lost, by now at the latest; None: nothing is."""
    stream.flush()
    sink = _sink(stream)
    failure = None if sink is None else sink.failure
    if failure is None:
        return None
    return "it is closed" if failure.errno == errno.EBADF else failure.strerror


def is_enough() -> bool:
    """Return whether whoever read standard output has gone, as `head` does: nothing is amiss."""
    sink = _sink(sys.stdout)
    return sink is not None and sink.has_left()


def is_read() -> bool:
    """Return whether what is printed from now on may still be read by somebody."""
    sink = _sink(sys.stdout)
    return sink is None or not sink.is_gone()


def wait_for_no_reader() -> None:
    """From now on drop what nobody takes at once: a stopped terminal must not stop this process."""
    for sink in filter(None, map(_sink, (sys.stdout, sys.stderr))):
        sink.waits = False


def is_utf8(stream: TextIO) -> bool:
    """Return whether a stream can hold every character as JSON has to be written."""
    return codecs.lookup(stream.encoding or "utf-8").name == "utf-8"


def standard_input() -> BinaryIO:
    """Return standard input, to be read; a person is told that it is waited for."""
    # Typed as never None, which Python makes it where the process was started without it.
    stream: TextIO | None = sys.stdin
    if stream is None:
        raise InvalidInputError("standard input is closed: name a file, or pipe something in")
    if stream.isatty():
        sys.stderr.write("reading standard input; Ctrl-D ends it\n")
    return stream.buffer
