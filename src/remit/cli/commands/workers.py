"""`remit worker`, which carries out what was approved, and `remit llm-worker`, which asks models.

The embedded stack starts them with `--wait-for-stack DIR`, before its servers are up: the imports
take longer than they do. They then wait for DIR's `stack.json`, and make `DataDir.worker_ready`
once they poll their queues.
"""

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from remit.cli.base import services
from remit.cli.base.options import DataDirOption, ModuleOption, option
from remit.cli.base.output import write_line
from remit.cli.base.signals import ending_signals
from remit.cli.base.telemetry import evaluated, gauges, observed
from remit.errors import MisconfiguredError
from remit.stack.layout import DataDir

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.settings import Settings
    from remit.signing.keys import Keyring
    from remit.stack.discovery import Services
    from remit.workflows.worker import WorkerParts

STACK_SECONDS = 60.0
"""How long a stack may take to come up that the worker waits for."""

COLLECT_AFTER = (5000, 20, 100)
"""New objects, then younger collections, after which each generation is collected."""

WaitOption = Annotated[
    Path | None,
    option("--wait-for-stack", "Serve the stack in this folder as soon as it is up.", "DIR"),
]
WorkflowOption = Annotated[
    list[str] | None,
    option(
        "--workflow",
        "A Temporal workflow to serve besides; may be given several times.",
        "PACKAGE.MODULE:CLASS",
    ),
]


def worker(
    *,
    wait_for_stack: WaitOption = None,
    module: ModuleOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Execute directives until SIGTERM or Ctrl-C. `remit up` starts one by itself."""
    settings = services.load_settings(wait_for_stack or data_dir)
    extra = (*services.module_references(settings), *(module or ()))
    asyncio.run(_serve(settings, extra, wait_for_stack))


async def _serve(settings: "Settings", extra: Sequence[str], wait_for_stack: Path | None) -> None:
    # Imported before the wait: these take longer than the servers need to start.
    from remit.operations.gate.policies import confirm_at_start
    from remit.workflows.client import connect
    from remit.workflows.worker import serve

    found = _find_services(settings, wait_for_stack)
    with observed(settings, "remit-worker", lasting=True) as seen, evaluated(settings) as tell:
        parts = replace(_make_parts(settings, extra, found, wait_for_stack), observe=tell)
        if settings.remit_metrics_port is not None or settings.otel_exporter_otlp_endpoint:
            parts = replace(parts, look=gauges(parts.engine, parts.policies))
        # The first worker of an installation is started by hand; a later one may start by itself.
        confirm_at_start(parts.engine, parts.policies.read(), parts.keys(), only_first=True)
        client = await connect(found.temporal_address, found.temporal_namespace, seen)
        _settle_memory()
        try:
            await serve(
                client,
                parts,
                sweep_seconds=settings.remit_sweep_seconds,
                stop=_stopped_by_signal(),
                on_ready=lambda: _tell_ready(wait_for_stack, "worker", "worker ready"),
            )
        finally:
            parts.engine.dispose()
            parts.module_engine.dispose()


def _make_parts(
    settings: "Settings", extra: Sequence[str], found: "Services", wait_for_stack: Path | None
) -> "WorkerParts":
    """Return what the worker works with; modules get connections of their own, and few rights."""
    from remit.db.engine import create_database_engine
    from remit.execution.modules.registry import discover_modules
    from remit.operations.gate.policies import Confirmations, PolicySource
    from remit.signing.worker_keys import read_worker_key
    from remit.workflows.worker import THREADS, WorkerParts

    # What is wrong with these is said before anything is connected.
    registry, store = discover_modules(extra), services.object_store(settings)
    PolicySource(found.policy_file)
    folder = settings.remit_worker_key_dir
    # None: it is to have the signing key.
    worker_key = None if folder is None else read_worker_key(folder)
    engine = create_database_engine(
        found.database_url, role="remit_app", application_name="remit-worker", pool_size=THREADS
    )
    if wait_for_stack is None:
        _check_schema(engine)
    keys = _key_source(settings, engine)
    return WorkerParts(
        engine=engine,
        module_engine=create_database_engine(
            found.module_database_url,
            role="remit_module",
            application_name="remit-module",
            pool_size=THREADS,
        ),
        policies=PolicySource(found.policy_file, Confirmations(engine, keys)),
        keys=keys,
        registry=registry,
        store=store,
        worker_key=worker_key,
        patience=timedelta(seconds=settings.remit_module_wait_seconds),
    )


def _key_source(settings: "Settings", engine: "sa.Engine") -> "Callable[[], Keyring]":
    """Return what tells the keys in force; the first worker of an embedded stack makes them."""
    from remit.signing.worker_keys import KeySource

    services.keys_for(engine, settings, make=True)
    read = partial(services.keys_for, engine, settings)
    return KeySource(read, services.keys_dir(settings)).current


def llm_worker(
    *,
    wait_for_stack: WaitOption = None,
    workflow: WorkflowOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Serve calls of language models until SIGTERM or Ctrl-C.

    Each call leaves evidence, and is refused until LLM_PROVIDER names a provider. `remit up` starts
    one by itself where it does.
    """
    settings = services.load_settings(wait_for_stack or data_dir)
    if wait_for_stack is not None:
        settings = beside_a_worker(settings)
    asyncio.run(_serve_models(settings, workflow or [], wait_for_stack))


async def _serve_models(
    settings: "Settings", references: list[str], wait_for_stack: Path | None
) -> None:
    from remit.db.engine import create_database_engine
    from remit.signing.sealing import ensure_seal
    from remit.workflows import llm_worker as models
    from remit.workflows.client import connect

    workflows = models.load_workflows(references)
    # After the imports, which take longer than the servers of a stack need to start.
    found = _find_services(settings, wait_for_stack)
    seal = ensure_seal(services.keys_dir(settings))
    engine = create_database_engine(
        found.database_url,
        role="remit_app",
        application_name="remit-llm-worker",
        pool_size=models.THREADS,
    )
    activities = models.llm_activities(engine, settings)
    said = f"llm worker ready ({activities.provider_name})"
    try:
        if wait_for_stack is None:
            _check_schema(engine)
        with observed(settings, "remit-llm-worker", lasting=True) as seen:
            await models.serve_llm(
                await connect(found.temporal_address, found.temporal_namespace, seen),
                activities,
                seal,
                workflows=workflows,
                stop=_stopped_by_signal(),
                on_ready=lambda: _tell_ready(wait_for_stack, "llm-worker", said),
            )
    finally:
        engine.dispose()


def usable_provider(settings: "Settings") -> str | None:
    """Return the provider of language models that LLM_PROVIDER names; None: calls are refused.

    Nothing is asked of it, and its SDK is looked for and not loaded.
    """
    if (settings.llm_provider or "noop") == "noop":
        return None
    from importlib.util import find_spec

    from remit.cognition.llm.config import get_llm_provider
    from remit.cognition.sdk import no_sdk

    name = get_llm_provider(settings).name
    # Each provider is called as the SDK that it asks with, and as the package that has it.
    if find_spec(name) is None:
        raise MisconfiguredError(
            no_sdk(name, name, otherwise="set LLM_PROVIDER to another provider")
        )
    return name


def beside_a_worker(settings: "Settings") -> "Settings":
    """Return the settings with the metrics on the next port: the stack's worker has the one set."""
    port = settings.remit_metrics_port
    if not port:
        return settings  # None serves none, and 0 finds each process one of its own
    free = port + 1 if port < 65535 else 0  # noqa: PLR2004 - the last port
    return settings.model_copy(update={"remit_metrics_port": free})


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _settle_memory() -> None:
    """Spare the collector what was loaded at the start: each full collection would walk it again.

    That is hundreds of thousands of objects, in the middle of somebody's directive.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _find_services(settings: "Settings", wait_for_stack: Path | None) -> "Services":
    from remit.stack import discovery

    if wait_for_stack is None:
        return discovery.resolve_services(settings)
    info = discovery.wait_for_stack(wait_for_stack, timeout_seconds=STACK_SECONDS)
    return discovery.services_of(info, settings)


def _check_schema(engine: "sa.Engine") -> None:
    """Refuse a database of another schema; an embedded stack has migrated its own."""
    from remit.db import migrate

    found, needed = migrate.current_revision(engine), migrate.head_revision()
    if found != needed:
        raise MisconfiguredError(
            f"the database's schema is at revision {found or 'base'}, and this Remit needs "
            f"{needed}: run `remit db upgrade`"
        )


def _tell_ready(wait_for_stack: Path | None, command: str, words: str) -> None:
    """Say that the queues are polled: to the supervisor by a file, to a person in words."""
    if wait_for_stack is not None:
        DataDir(wait_for_stack).worker_ready(os.getpid(), command).touch(mode=0o600)
    write_line(words)
