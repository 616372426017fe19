"""Collectors on 127.0.0.1: a real one in a process of its own, and ones that misbehave.

The real one is oteltap, which decodes what it receives and prints it, one JSON object a line. The
others take connections and answer badly, or never.
"""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import pytest

from remit.telemetry.state import STATE, LossCounter

_PATIENCE_SECONDS = 20.0

Manner = Literal["refuses", "hangs", "slow", "fails", "cuts"]
"""Nobody listens · never answers · answers after a second · answers 500 · closes at once."""

MANNERS: tuple[Manner, ...] = ("refuses", "hangs", "slow", "fails", "cuts")


@pytest.fixture
def losses() -> Iterator[LossCounter]:
    """Return the counts of what is lost, from zero; telemetry is off before and after."""
    assert STATE.tracer is None
    assert STATE.meter is None
    before, STATE.losses = STATE.losses, LossCounter()
    try:
        yield STATE.losses
    finally:
        STATE.tracer = STATE.meter = None
        STATE.losses = before


_TIMER_OF_TEMPORAL = re.compile(
    r"\nthread 'tokio-rt-worker' \(\d+\) panicked at sdk-core/crates/sdk-core/src/worker/"
    r"activities/local_activities\.rs:\d+:\d+:\nreceive half not dropped: SendError"
    r".*?verbose backtrace\.\n",
    re.DOTALL,
)
"""What Temporal's core tells of a time limit that passes after the worker of an earlier test, in
the same process, has ended: the timer finds nobody to tell. Telemetry has no part in it."""


def heard(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Return what this process has printed, but for a late timer of an earlier test's worker."""
    out, err = capfd.readouterr()
    return out, _TIMER_OF_TEMPORAL.sub("", err)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], object], what: str) -> None:
    """Wait until `done` says so.

    Raises:
        AssertionError: it never did.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Received:
    """A span as a collector received it."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.raw["name"])

    @property
    def ids(self) -> tuple[str, str, str]:
        """Return trace id, span id and parent's span id."""
        return self.raw["traceId"], self.raw["spanId"], self.raw["parentSpanId"]

    @property
    def attributes(self) -> dict[str, Any]:
        """Return its attributes; whole numbers are text, as OTLP's JSON has them."""
        return _attributes(self.raw["attributes"])

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what happened within it."""
        return [(each["name"], _attributes(each["attributes"])) for each in self.raw["events"]]

    @property
    def links(self) -> list[str]:
        """Return the ids of the traces that are linked."""
        return [each["traceId"] for each in self.raw["links"]]


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs}


@dataclass
class Collector:
    """A real collector.

    Attributes:
        endpoint: where it listens.
        log: everything that it received, as it printed it.
    """

    endpoint: str
    log: Path

    def text(self) -> str:
        """Return everything that it received."""
        return self.log.read_text(encoding="utf-8")

    def spans(self) -> dict[str, Received]:
        """Return the spans by their names."""
        return {each["name"]: Received(each) for each in self._objects() if "spanId" in each}

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return the metrics by their names."""
        return {each["name"]: each for each in self._objects() if "unit" in each}

    def _objects(self) -> Iterator[dict[str, Any]]:
        for line in self.text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                yield json.loads(line)


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[Collector]:
    """Run a real collector that prints into a file of `folder`."""
    port = free_port()
    log = folder / "collector.jsonl"
    command = [sys.executable, "-u", "-m", "oteltap", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: b"Listening" in log.read_bytes() and _answers(port), "the collector")
        yield Collector(f"http://127.0.0.1:{port}", log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE_SECONDS)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@dataclass
class BadCollector:
    """One that misbehaves.

    Attributes:
        endpoint: where it listens, or nobody does.
        asked: how many requests reached it.
    """

    endpoint: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def bad_collector(manner: Manner) -> Iterator[BadCollector]:
    """Run a collector that misbehaves in this manner."""
    if manner == "refuses":
        yield BadCollector(f"http://127.0.0.1:{free_port()}")
        return
    over = Event()
    bad = BadCollector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bad.asked.append(self.path)
            if manner == "cuts":
                return
            self.rfile.read(int(self.headers["Content-Length"]))
            if manner in {"hangs", "slow"}:
                over.wait(None if manner == "hangs" else 1.0)
            self.send_response(500 if manner == "fails" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a caller that gave up is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    bad.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield bad
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE_SECONDS)
