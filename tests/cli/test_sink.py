"""The end of an output stream: it takes everything, waits for nobody it need not wait for."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.cli.base import services, streams
from remit.cli.base.streams import Sink
from tests.cli.conftest import Remit, propose_arguments

MUCH = b"x" * 300_000
"""More than a pipe holds."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Return both ends of a pipe."""
    ends = os.pipe()
    yield ends
    for each in ends:
        try:
            os.close(each)
        except OSError:
            continue  # the test did


def test_a_stream_that_does_not_wait_by_itself_is_waited_for(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    read = bytearray()

    def drain() -> None:
        while len(read) < len(MUCH):
            read.extend(os.read(reading, 65536))

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    sink = Sink(writing)
    buffer = io.BufferedWriter(sink)
    buffer.write(MUCH)
    buffer.flush()
    reader.join(timeout=30)
    assert (bytes(read), sink.failure) == (MUCH, None)


def test_what_nobody_takes_is_dropped_where_nothing_may_wait(pipe: tuple[int, int]) -> None:
    _, writing = pipe
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, MUCH)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    sink = Sink(writing)
    sink.waits = False
    assert (sink.write(MUCH), sink.failure) == (len(MUCH), None)


def test_a_reader_that_goes_half_way_ends_the_output_and_nothing_else(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    threading.Timer(0.1, os.close, [reading]).start()
    sink = Sink(writing)
    buffer = io.BufferedWriter(sink)
    buffer.write(MUCH)
    buffer.flush()
    assert (sink.has_left(), sink.is_gone()) == (True, True)


def test_after_a_loss_nothing_more_is_written(tmp_path: Path) -> None:
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    sink = Sink(file)
    sink.failure = OSError(28, "No space left on device")
    assert (sink.write(b"more"), sink.has_left()) == (4, False)
    os.close(file)
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_no_file_gets_the_number_of_a_stream_that_is_missing(
    tmp_path: Path, closed: tuple[int, ...]
) -> None:
    code = (
        "import os, sys\n"
        f"for number in {closed}:\n    os.close(number)\n"
        "from remit.cli.base import streams\n"
        "streams.take_over()\n"
        "file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "print('out'), print('err', file=sys.stderr)\n"
        "os.write(file, str(file).encode())\n"
    )
    file = tmp_path / "file"
    subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, check=True)
    assert int(file.read_text()) > 2


def test_a_broken_pipe_that_is_not_the_output_is_a_defect(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(services, "load_settings", broken)
    shown = remit(*propose_arguments())
    assert (shown.code, shown.out, shown.err.count("\n")) == (70, "", 1)
    assert "this is a defect of Remit (BrokenPipeError: " in shown.err


def test_a_stream_that_is_not_ours_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    streams.wait_for_no_reader()
    assert (streams.loss(sys.stdout), streams.is_read(), streams.is_enough()) == (None, True, False)
    assert streams.is_utf8(sys.stdout)


def test_a_file_that_cannot_be_read_is_refused(remit: Remit, tmp_path: Path) -> None:
    for name in (str(tmp_path), "/proc/self/mem"):
        shown = remit("propose", name)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
        assert shown.err.startswith(f"remit: {name}: cannot be read (")
