"""`remit worker`: the process that carries out what was approved.

The embedded stack starts it as `remit worker --wait-for-stack DIR`, before its servers are up: the
imports take longer than they do. It then waits for DIR's `stack.json`, and makes
`DataDir.worker_ready` once it polls its queues.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import DataDirOption, ModuleOption
from remit.errors import MisconfiguredError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.settings import Settings
    from remit.signing.keys import Keyring
    from remit.signing.worker_keys import WorkerKey
    from remit.stack.discovery import Services
    from remit.workflows.worker import WorkerParts

STACK_SECONDS = 60.0
"""How long a stack may take to come up that the worker waits for."""

WaitOption = Annotated[
    Path | None,
    typer.Option(
        "--wait-for-stack",
        metavar="DIR",
        show_default=False,
        help="Serve the stack in this folder as soon as it is up.",
    ),
]


COLLECT_AFTER = (5000, 20, 100)
"""New objects, then younger collections, after which each generation is collected."""


def worker(
    *,
    wait_for_stack: WaitOption = None,
    module: ModuleOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Execute directives until SIGTERM or Ctrl-C. `remit up` starts one by itself."""
    from remit.cli.base.services import load_settings, module_references

    settings = load_settings(wait_for_stack or data_dir)
    extra = (*module_references(settings), *(module or ()))
    asyncio.run(_serve(settings, extra, wait_for_stack))


async def _serve(settings: "Settings", extra: Sequence[str], wait_for_stack: Path | None) -> None:
    """Connect to both services and serve until a signal."""
    from remit.cli.base.telemetry import evaluated, gauges, observed

    # Imported before the wait: these take longer than the servers need to start.
    from remit.operations.gate.policies import confirm_at_start
    from remit.workflows.client import connect
    from remit.workflows.worker import serve

    services = find_services(settings, wait_for_stack)
    with observed(settings, "remit-worker", lasting=True) as seen, evaluated(settings) as tell:
        parts = replace(_make_parts(settings, extra, services, wait_for_stack), observe=tell)
        if settings.remit_metrics_port is not None or settings.otel_exporter_otlp_endpoint:
            parts = replace(parts, look=gauges(parts.engine, parts.policies))
        # The first worker of an installation is started by hand; a later one may start by itself.
        confirm_at_start(parts.engine, parts.policies.read(), parts.keys(), only_first=True)
        client = await connect(services.temporal_address, services.temporal_namespace, seen)
        _settle_memory()
        stop = asyncio.Event()
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            await serve(
                client,
                parts,
                sweep_seconds=settings.remit_sweep_seconds,
                stop=stop,
                on_ready=lambda: tell_ready(wait_for_stack, "worker", "worker ready"),
            )
        finally:
            parts.engine.dispose()
            parts.module_engine.dispose()


def ending_signals() -> list[signal.Signals]:
    """Return what asks this process to end: SIGTERM, Ctrl-C, and the end of its terminal.

    The last one not where it is ignored, as under `nohup`.
    """
    hung_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hung_up else [])]


def _settle_memory() -> None:
    """Spare the collector what was loaded at the start, which lives as long as the process.

    A worker makes many short-lived objects; without this each full collection walks hundreds of
    thousands of module-level ones again, in the middle of somebody's directive.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def find_services(settings: "Settings", wait_for_stack: Path | None) -> "Services":
    """Return what a worker stands on: the services of a stack that comes up, or those named.

    Raises:
        UnavailableError: the stack does not come up, or no service is named.
    """
    from remit.stack.discovery import resolve_services, services_of
    from remit.stack.discovery import wait_for_stack as wait

    if wait_for_stack is None:
        return resolve_services(settings)
    return services_of(wait(wait_for_stack, timeout_seconds=STACK_SECONDS), settings)


def _key_source(settings: "Settings", engine: "sa.Engine") -> "Callable[[], Keyring]":
    """Return what tells the keys in force; the first worker of an embedded stack makes them."""
    from remit.cli.base.services import keys_dir, keys_for
    from remit.signing.worker_keys import KeySource

    keys_for(engine, settings, make=True)
    return KeySource(lambda: keys_for(engine, settings), keys_dir(settings)).current


def _worker_key(settings: "Settings") -> "WorkerKey | None":
    """Return the key for workers of this host; None: it is to have the signing key."""
    from remit.signing.worker_keys import read_worker_key

    folder = settings.remit_worker_key_dir
    return None if folder is None else read_worker_key(folder)


def _make_parts(
    settings: "Settings", extra: Sequence[str], services: "Services", wait_for_stack: Path | None
) -> "WorkerParts":
    """Return what the worker works with; modules get connections of their own, and few rights."""
    from remit.cli.base.services import object_store
    from remit.db.engine import create_database_engine
    from remit.execution.modules.registry import discover_modules
    from remit.operations.gate.policies import Confirmations, PolicySource
    from remit.workflows.worker import THREADS, WorkerParts

    # What is wrong with these is said before anything is connected.
    registry, store = discover_modules(extra), object_store(settings)
    PolicySource(services.policy_file)
    worker_key = _worker_key(settings)
    engine = create_database_engine(
        services.database_url,
        role="remit_app",
        application_name="remit-worker",
        pool_size=THREADS,
    )
    if wait_for_stack is None:
        check_schema(engine)
    keys = _key_source(settings, engine)
    return WorkerParts(
        engine=engine,
        module_engine=create_database_engine(
            services.module_database_url,
            role="remit_module",
            application_name="remit-module",
            pool_size=THREADS,
        ),
        policies=PolicySource(services.policy_file, Confirmations(engine, keys)),
        keys=keys,
        registry=registry,
        store=store,
        worker_key=worker_key,
        patience=timedelta(seconds=settings.remit_module_wait_seconds),
    )


def check_schema(engine: "sa.Engine") -> None:
    """Refuse a database of another schema; an embedded stack has migrated its own.

    Raises:
        MisconfiguredError: its schema is not the one that this release works with.
        UnavailableError: it does not answer.
    """
    from remit.db import migrate

    found, needed = migrate.current_revision(engine), migrate.head_revision()
    if found != needed:
        raise MisconfiguredError(
            f"the database's schema is at revision {found or 'base'}, and this Remit needs "
            f"{needed}: run `remit db upgrade`"
        )


def tell_ready(wait_for_stack: Path | None, command: str, words: str) -> None:
    """Say that the queues are polled: to the supervisor by a file, to a person in words.

    Args:
        wait_for_stack: the supervisor's folder; None for a worker that nobody supervises.
        command: the command that this process runs.
        words: what to say.
    """
    from remit.cli.base.output import write_line
    from remit.stack.layout import DataDir

    if wait_for_stack is not None:
        DataDir(wait_for_stack).worker_ready(os.getpid(), command).touch(mode=0o600)
    write_line(words)
