"""`remit llm-worker`: the process that asks language models, and never acts.

`remit up` starts one where LLM_PROVIDER names a provider, as `remit llm-worker --wait-for-stack
DIR`; with none chosen there is none, since nothing of Remit's own asks a model.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import DataDirOption
from remit.cli.commands.worker import WaitOption, ending_signals
from remit.errors import MisconfiguredError

if TYPE_CHECKING:
    from remit.settings import Settings

LAST_PORT = 65535

WorkflowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--workflow",
        metavar="PACKAGE.MODULE:CLASS",
        show_default=False,
        help="A Temporal workflow to serve besides; may be given several times.",
    ),
]


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
    from remit.cli.base.services import load_settings

    settings = load_settings(wait_for_stack or data_dir)
    if wait_for_stack is not None:
        settings = beside_a_worker(settings)
    asyncio.run(_serve(settings, workflow or [], wait_for_stack))


def usable_provider(settings: "Settings") -> str | None:
    """Return the provider of language models that LLM_PROVIDER names; None: calls are refused.

    Nothing is asked of it, and its SDK is looked for and not loaded.

    Raises:
        LLMProviderError: there is no such provider, or a setting that it needs is missing or wrong.
        MisconfiguredError: its SDK is not installed.
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
    free = port + 1 if port < LAST_PORT else 0
    return settings.model_copy(update={"remit_metrics_port": free})


async def _serve(settings: "Settings", references: list[str], wait_for_stack: Path | None) -> None:
    """Connect to both services and serve until a signal."""
    from remit.cli.base.services import keys_dir
    from remit.cli.base.telemetry import observed
    from remit.cli.commands.worker import check_schema, find_services, tell_ready
    from remit.db.engine import create_database_engine
    from remit.signing.sealing import ensure_seal
    from remit.workflows.client import connect
    from remit.workflows.llm_worker import THREADS, llm_activities, load_workflows, serve_llm

    workflows = load_workflows(references)
    # After the imports, which take longer than the servers of a stack need to start.
    services = find_services(settings, wait_for_stack)
    seal = ensure_seal(keys_dir(settings))
    engine = create_database_engine(
        services.database_url,
        role="remit_app",
        application_name="remit-llm-worker",
        pool_size=THREADS,
    )
    activities = llm_activities(engine, settings)
    said = f"llm worker ready ({activities.provider_name})"
    try:
        if wait_for_stack is None:
            check_schema(engine)
        with observed(settings, "remit-llm-worker", lasting=True) as seen:
            await serve_llm(
                await connect(services.temporal_address, services.temporal_namespace, seen),
                activities,
                seal,
                workflows=workflows,
                stop=_stopped_by_signal(),
                on_ready=lambda: tell_ready(wait_for_stack, "llm-worker", said),
            )
    finally:
        engine.dispose()


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
