"""What the loads stand on: one Postgres, one Temporal, Remit's worker and the bare one.

The workers are processes of their own. Remit's is the real `remit worker`. All of it lives in a
temporary directory, and ends with the benchmark even if that is killed.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa
from temporalio.client import Client

from bench.loads import APPROVER, PROPOSER, Loads
from bench.measurement import BARE, POSTGRES, ROWS, TEMPORAL, WORKER
from remit.db.engine import create_database_engine
from remit.errors import UnavailableError
from remit.execution.modules.registry import ModuleRegistry, discover_modules
from remit.execution.workers import WorkerIdentity
from remit.identity.types import Principal
from remit.operations.gate.policies import PolicySource
from remit.operations.identities.authentication import authenticate, use_keys
from remit.operations.identities.directory import create_token, ensure_principals, make_first_admin
from remit.operations.identities.principals import LONGEST_TOKEN
from remit.operations.runs.workers import announce
from remit.signing.keys import Keyring, ensure_keys
from remit.stack.layout import DataDir
from remit.stack.options import StackOptions
from remit.stack.processes import ProcessSlot, Roster, last_line
from remit.stack.supervisor import Stack
from remit.stack.worker import worker_command
from remit.workflows.client import connect

NAMESPACE = "default"
"""Temporal namespace of every workflow."""

POOL_SIZE = 20
"""Connections that the client keeps open; as many again may open."""

ADMIN = "admin"
"""The first admin."""

_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Ground:
    """Two servers that run.

    Attributes:
        data: their data directory.
        database_url: Postgres.
        temporal_address: Temporal's front end, as host:port.
        roster: whoever is recorded here ends with the benchmark.
        servers: process ids of Postgres and Temporal, by name.
        keys: what signs grants and votes, here and in Remit's worker.
        registry: the modules, which are announced.
        approver: whoever votes, with the token that they show.
        identity: who begins and ends what no worker does.
    """

    data: DataDir
    database_url: str
    temporal_address: str
    roster: Roster
    servers: dict[str, int]
    keys: Keyring
    registry: ModuleRegistry
    approver: Principal
    identity: WorkerIdentity

    async def connect(self) -> Client:
        """Return a new client of Temporal."""
        return await connect(self.temporal_address, NAMESPACE)

    def engine(self) -> sa.Engine:
        """Return a new engine, as a door that serves many callers would make it."""
        return create_database_engine(
            self.database_url, application_name="bench", pool_size=POOL_SIZE
        )

    async def loads(self, engine: sa.Engine) -> Loads:
        """Return the four loads, over this engine and a new client."""
        client = await self.connect()
        policies = PolicySource(None)
        return Loads(
            client, engine, policies, self.keys, self.registry, self.approver, self.identity
        )

    def serving(self, load: str, workers: dict[str, int]) -> dict[str, int]:
        """Return the processes that serve a load, by their names.

        Args:
            load: the load's name.
            workers: process id of the worker of each load that has one.
        """
        names = {BARE: (TEMPORAL,), ROWS: (POSTGRES,)}.get(load, (TEMPORAL, POSTGRES))
        worker = {WORKER: workers[load]} if load in workers else {}
        return worker | {name: self.servers[name] for name in names}


@contextmanager
def servers() -> Iterator[Ground]:
    """Start both servers in a temporary directory; end them with the block."""
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="remit-bench-"))
        data = DataDir(Path(folder) / "data")
        stack = ending.enter_context(Stack(data, StackOptions(worker=False)))
        roster = Roster(Path(folder) / "workers.json").open()
        ending.callback(roster.close)
        if stack.info is None:
            raise UnavailableError("the servers have ended while they started")
        registry = discover_modules()
        url = stack.info.database_url
        keys, approver, identity = _settle(url, registry, data.path / "keys")
        yield Ground(
            data,
            stack.info.database_url,
            stack.info.temporal_address,
            roster,
            _children(POSTGRES, TEMPORAL),
            keys,
            registry,
            approver,
            identity,
        )


def _settle(
    database_url: str, registry: ModuleRegistry, folder: Path
) -> tuple[Keyring, Principal, WorkerIdentity]:
    """Make known who acts and what can be executed: a worker that runs would have said so.

    Returns:
        The keys of the installation, which are made in `folder`, whoever votes, and who executes
        where no worker does.
    """
    engine = create_database_engine(database_url, application_name="bench", pool_size=1)
    try:
        keys = use_keys(engine, ensure_keys(folder), folder)
        made = make_first_admin(engine, ADMIN, valid_for=LONGEST_TOKEN, keys=keys)
        if made is None:
            raise UnavailableError("a new database knows somebody already")
        admin = authenticate(engine, str(made.token), keys)
        ensure_principals(engine, [PROPOSER, APPROVER], by=admin, keys=keys)
        worker = announce(engine, registry.list_modules(), keys)
        token = create_token(engine, APPROVER, valid_for=LONGEST_TOKEN, by=admin, keys=keys).token
        return keys, authenticate(engine, str(token), keys), worker
    finally:
        engine.dispose()


@contextmanager
def bare_worker(ground: Ground) -> Iterator[int]:
    """Run the bare worker; its process id is handed over once it polls its queue."""
    ready = ground.data.path / "bare.ready"
    argv = (sys.executable, "-m", "bench.bare", ground.temporal_address, NAMESPACE, str(ready))
    with _running(ground, "bare worker", argv) as (pid, log):
        _wait_for(ready, pid, log)
        yield pid


@contextmanager
def remit_worker(ground: Ground, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run `remit worker`; its process id is handed over once it polls its queues.

    Args:
        ground: the servers.
        variables: more of its environment; None for no more.
    """
    # The caller's own settings must not make this worker another than the one that is documented.
    foreign = (
        *("REMIT_POLICY_FILE", "REMIT_MODULES", "REMIT_KEYS_DIR", "REMIT_SIGNING_KEY"),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "REMIT_METRICS_PORT", "EVALUATION_PROVIDER"),
    )
    ours = ("/usr/bin/env", *(part for name in foreign for part in ("-u", name)))
    own = {"TEMPORAL_NAMESPACE": NAMESPACE, **(variables or {})}
    argv = (*ours, *worker_command(ground.data, own))
    with _running(ground, "worker", argv) as (pid, log):
        _wait_for(ground.data.worker_ready(pid), pid, log)
        yield pid


@contextmanager
def _running(ground: Ground, name: str, argv: tuple[str, ...]) -> Iterator[tuple[int, Path]]:
    slot = ProcessSlot(name, ground.roster, signal.SIGTERM, _STOP_SECONDS)
    log = ground.data.log(name.replace(" ", "-"))
    try:
        yield slot.spawn(argv, log).pid, log
    finally:
        slot.stop()


def _wait_for(ready: Path, pid: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready.exists():
        ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        if ended or time.monotonic() > deadline:
            raise UnavailableError(f"a worker does not become ready: {last_line(log)}")
        time.sleep(_POLL_SECONDS)


def _children(*names: str) -> dict[str, int]:
    """Return the process ids of this process's children of these names."""
    found = {child.name(): child.pid for child in psutil.Process().children()}
    return {name: found[name] for name in names}
