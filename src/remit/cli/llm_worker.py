"""`remit llm-worker`: the process that asks language models, and never acts.

`remit up` does not start one: nothing of Remit's own asks a model.
"""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.options import DataDirOption

if TYPE_CHECKING:
    from remit.settings import Settings

WorkflowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--workflow",
        metavar="PACKAGE.MODULE:CLASS",
        show_default=False,
        help="A Temporal workflow to serve besides; may be given several times.",
    ),
]


def llm_worker(*, workflow: WorkflowOption = None, data_dir: DataDirOption = None) -> None:
    """Serve calls of language models until SIGTERM or Ctrl-C.

    Each call leaves evidence, and is refused until LLM_PROVIDER names a provider.
    """
    from remit.cli.services import load_settings

    asyncio.run(_serve(load_settings(data_dir), workflow or []))


async def _serve(settings: "Settings", references: list[str]) -> None:
    """Connect to both services and serve until a signal."""
    from remit.cli.observing import observed
    from remit.cli.output import write_line
    from remit.cli.services import keys_dir
    from remit.cli.worker import check_schema
    from remit.db.engine import create_database_engine
    from remit.signing.sealing import ensure_seal
    from remit.stack.discovery import resolve_services
    from remit.workflows.client import connect
    from remit.workflows.thinking_worker import (
        THREADS,
        load_workflows,
        serve_thinking,
        thinking_parts,
    )

    workflows = load_workflows(references)
    services = resolve_services(settings)
    seal = ensure_seal(keys_dir(settings))
    engine = create_database_engine(
        services.database_url,
        role="remit_app",
        application_name="remit-llm-worker",
        pool_size=THREADS,
    )
    parts = thinking_parts(engine, seal, settings)
    try:
        check_schema(engine)
        with observed(settings, "remit-llm-worker", lasting=True) as seen:
            await serve_thinking(
                await connect(services.temporal_address, services.temporal_namespace, seen),
                parts,
                workflows=workflows,
                stop=_stopped_by_signal(),
                on_ready=lambda: write_line(f"llm worker ready ({parts.provider_name})"),
            )
    finally:
        engine.dispose()


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
