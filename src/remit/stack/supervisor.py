"""The supervisor: Postgres, Temporal and the workers as one thing that starts and stops.

It runs in the process of `remit up`, `remit demo`, the benchmark or a test; a
:class:`~remit.stack.processes.Roster` sees to it that nothing outlives it.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from importlib import import_module
from typing import IO, Self

from remit.errors import ConflictError, UnavailableError
from remit.stack.discovery import (
    StackInfo,
    installed_versions,
    normalize_database_url,
    remove_state,
    write_state,
)
from remit.stack.layout import DataDir
from remit.stack.options import EventName, StackEvent, StackOptions
from remit.stack.ownership import MODULE, OWNER, READER
from remit.stack.postgres import EmbeddedPostgres
from remit.stack.process_identity import process_mark
from remit.stack.processes import Roster
from remit.stack.temporal import EmbeddedTemporal
from remit.stack.worker import WorkerProcess, Workers

_WORKER_START_SECONDS = 60.0


def upgrade_database(database_url: str) -> None:
    """Bring the database to the newest schema."""
    from remit.db import migrate

    migrate.upgrade(database_url)


class Stack:
    """One embedded stack over one data directory; starts once and stops once.

    `start`: take the directory's lock; end what a killed predecessor left; start the workers
    (their imports take longest), Postgres and Temporal at the same time; migrate; publish
    `stack.json`, which the workers wait for; return when they poll their queues. `stop` goes the
    other way, and is safe at any moment and from any thread: a `start` under way then raises
    UnavailableError.

    `report` is called with one event at a time, from any thread; `on_database_ready` with the
    owner's URL of the database before anything uses it, and `on_migrated` with the services' next.
    """

    def __init__(
        self,
        data: DataDir,
        options: StackOptions | None = None,
        *,
        report: Callable[[StackEvent], None] = lambda _: None,
        on_database_ready: Callable[[str], None] = upgrade_database,
        on_migrated: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data = data
        self.options = options or StackOptions()
        self._report = report
        self._report_lock = threading.Lock()
        self._on_database_ready = on_database_ready
        self._on_migrated = on_migrated
        self._roster = Roster(data.processes_file)
        self._state_lock = threading.RLock()
        self._began = 0.0
        self._lock_file: IO[str] | None = None
        self._stopped = False
        self._postgres: EmbeddedPostgres | None = None
        self._temporal: EmbeddedTemporal | None = None
        self._workers: Workers | None = None
        self.info: StackInfo | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, as it runs now; None when none does."""
        worker = self._workers.worker if self._workers else None
        return worker.pid if worker else None

    def start(self) -> StackInfo:
        """Start everything; on any error, also an interrupt, nothing is left running.

        Raises:
            ConflictError: a stack runs on this directory already, or this one was started before.
            MisconfiguredError: the directory, a port, a program or a worker's settings.
            UnavailableError: a part does not come up, or `stop` was called meanwhile.
        """
        self._began = time.monotonic()
        if self._lock_file is not None:
            raise ConflictError("this stack was started before: make another")
        self.data.prepare()
        try:
            self._open()
            database_url, address = self._start_services()
            self.info = self._publish(database_url, address)
            if self._workers is not None:
                self._workers.wait_ready(timeout_seconds=_WORKER_START_SECONDS)
            self._tell("stack")
        except BaseException:
            self.stop()
            raise
        return self.info

    def stop(self) -> None:
        """Stop everything and wait for it. Idempotent."""
        self._stopped = True
        with self._state_lock:
            if self._lock_file is None or self._lock_file.closed:
                return
            remove_state(self.data)
            if self._workers is not None:
                self._workers.stop()
            servers = [each.stop for each in (self._temporal, self._postgres) if each is not None]
            with ThreadPoolExecutor(max_workers=2) as pool:
                stopping = [pool.submit(stop) for stop in servers]
            self._roster.close()
            self._lock_file.close()
        for each in stopping:
            each.result()

    def failure(self) -> str | None:
        """Return what is wrong with a started stack: a server that ended; None when all is well."""
        for name, server in (("Postgres", self._postgres), ("Temporal", self._temporal)):
            if not self._stopped and server is not None and server.pid is None:
                return f"{name} has ended by itself (log: {server.log})"
        return None

    def kill_worker(self) -> int:
        """Do as :meth:`WorkerProcess.kill`."""
        return self._worker().kill()

    def wait_for_worker(
        self, *, other_than: int | None = None, timeout_seconds: float = _WORKER_START_SECONDS
    ) -> int:
        """Do as :meth:`WorkerProcess.wait_ready`; ConflictError when the stack runs no worker."""
        return self._worker().wait_ready(other_than=other_than, timeout_seconds=timeout_seconds)

    def _worker(self) -> WorkerProcess:
        if self._workers is None or self._workers.worker is None:
            raise ConflictError("this stack runs no worker")
        return self._workers.worker

    def _open(self) -> None:
        with self._state_lock:
            self._lock_file = _acquire(self.data)
            self._check_wanted()
            self._roster.end_leftovers()
            remove_state(self.data)
            self._roster.open()
            options = self.options
            self._workers = Workers(self.data, options, self._roster, self._tell)
            self._workers.start()
            if options.database_url is None:
                self._postgres = EmbeddedPostgres(self.data, self._roster)
            if options.temporal_address is None:
                self._temporal = EmbeddedTemporal(
                    self.data,
                    options.temporal_port,
                    options.temporal_ui_port,
                    namespace=options.temporal_namespace,
                    roster=self._roster,
                )

    def _start_services(self) -> tuple[str, str]:
        with ThreadPoolExecutor(max_workers=3) as pool:
            if self._on_database_ready is upgrade_database:
                # Half a second of imports while the servers start; an error shows again there.
                pool.submit(import_module, "remit.db.migrate")
            database = pool.submit(self._start_database)
            temporal = pool.submit(self._start_temporal)
            both: list[Future[str]] = [database, temporal]
            try:
                done, _ = wait(both, return_when=FIRST_EXCEPTION)
                first = next((each for each in both if each in done and each.exception()), database)
                first.result()
            except BaseException:
                # Leaving the pool waits for the other thread, which this ends.
                self.stop()
                raise
            return database.result(), temporal.result()

    def _start_database(self) -> str:
        if self._postgres is None:
            url = normalize_database_url(self.options.database_url or "")
            owner_url = normalize_database_url(self.options.database_owner_url or url)
        else:
            url, owner_url = self._postgres.start(), self._postgres.owner_database_url
            self._tell("postgres")
        self._on_database_ready(owner_url)
        self._on_migrated(url)
        self._tell("database")
        return url

    def _start_temporal(self) -> str:
        if self._temporal is None:
            return self.options.temporal_address or ""
        address = self._temporal.start()
        self._tell("temporal")
        return address

    def _publish(self, database_url: str, address: str) -> StackInfo:
        policy, module_url = self.options.policy_file, self.options.database_module_url
        own = self._postgres.url_of if self._postgres else lambda _: None
        info = StackInfo(
            pid=os.getpid(),
            mark=process_mark(os.getpid()) or "",
            database_url=database_url,
            temporal_address=address,
            temporal_ui=self._temporal.ui_url if self._temporal else None,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=installed_versions(),
            policy_file=None if policy is None else str(policy.absolute()),
            owner_database_url=own(OWNER),
            module_database_url=own(MODULE) or (module_url and normalize_database_url(module_url)),
            reader_database_url=own(READER),
        )
        with self._state_lock:
            self._check_wanted()
            write_state(self.data, info)
        return info

    def _check_wanted(self) -> None:
        if self._stopped:
            raise UnavailableError("the stack was stopped while it started")

    def _tell(self, name: EventName) -> None:
        # Whatever becomes of those who are told, what they are told of goes on.
        with self._report_lock, contextlib.suppress(Exception):
            self._report(StackEvent(name, time.monotonic() - self._began))


def _acquire(data: DataDir) -> IO[str]:
    """Take the directory's lock; it is ours until the file is closed or this process ends."""
    file = data.lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise ConflictError(
            f"a stack is already running (pid {holder}) in {data.path}: use it, stop it with "
            "Ctrl-C or SIGTERM, or name another directory with --data-dir"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
