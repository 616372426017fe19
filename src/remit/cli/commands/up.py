"""`remit up`: the embedded stack, from its start to its clean end."""

import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base import services
from remit.cli.base.failures import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNSUCCESSFUL
from remit.cli.base.options import DataDirOption, JsonOption, ModuleOption, option
from remit.cli.base.output import Cell, spinner, write_facts, write_json, write_line
from remit.cli.base.signals import ending_signals, handled
from remit.cli.base.streams import wait_for_no_reader
from remit.cli.base.token_files import keep_first_admin
from remit.cli.commands.workers import usable_provider
from remit.cli.views.cells import write_warning
from remit.stack.layout import DataDir

if TYPE_CHECKING:
    import sqlalchemy as sa
    from rich.console import Console

    from remit.policy.config import PolicyConfig
    from remit.settings import Settings
    from remit.stack.discovery import StackInfo
    from remit.stack.options import StackEvent, StackOptions
    from remit.stack.supervisor import Stack

WORDS: Mapping[str, str] = {
    "postgres": "Postgres answers",
    "database": "the schema is current",
    "temporal": "Temporal answers",
    "worker": "a worker polls its queues",
    "llm_worker": "a worker for language models polls its queue",
}

LOST: Mapping[str, str] = {
    "worker_lost": "the worker has ended by itself; another one is started",
    "llm_worker_lost": "the worker for language models has ended by itself; another is started",
}

_STARTING = "starting Postgres, Temporal and a worker ..."
_EXAMPLE = (
    'remit propose --role operator --type echo --objective "say hello" --scope test '
    """--payload '{"hello": "world"}' --wait"""
)

PortOption = Annotated[
    int | None,
    option("--temporal-port", "Port of Temporal. Default: a free one.", "PORT", min=1, max=65535),
]
UiPortOption = Annotated[
    int | None,
    option(
        "--ui-port", "Port of Temporal's web page. Default: a free one.", "PORT", min=1, max=65535
    ),
]
PolicyOption = Annotated[
    Path | None,
    option(
        "--policy-file", "The policy. Default: REMIT_POLICY_FILE, else the built-in one.", "FILE"
    ),
]


class Progress:
    """Tells what the stack does, as it does it; called from any thread, one event at a time.

    With `stderr` it leaves standard output alone, which a program reads.
    """

    def __init__(self, *, stderr: bool, llm_provider: str | None = None) -> None:
        self._stderr = stderr
        self._llm_provider = llm_provider
        self._complete = False
        self.console: Console | None = None

    def __call__(self, event: "StackEvent") -> None:
        """Print one event."""
        if event.name == "stack":
            self._complete = True
        elif event.name in LOST:
            self._say(LOST[event.name], "yellow")
        elif self._complete:
            self._say(f"{WORDS[event.name]} again", "green")
        else:
            which = f" ({self._llm_provider})" if event.name == "llm_worker" else ""
            self._say(f"{WORDS[event.name]}{which}, {event.seconds:.2f} s", "green")

    def _say(self, text: str, style: str) -> None:
        write_line(Cell("• ", style), text, stderr=self._stderr, on=self.console)


def up(
    *,
    data_dir: DataDirOption = None,
    temporal_port: PortOption = None,
    ui_port: UiPortOption = None,
    policy_file: PolicyOption = None,
    module: ModuleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start Postgres, Temporal and a worker on this machine; Ctrl-C stops them.

    Everything is kept in the data folder and is there again after the next start. DATABASE_URL and
    TEMPORAL_ADDRESS each replace their part. Where LLM_PROVIDER names a provider, a second worker
    asks its language models. The policy that it starts with is confirmed by that.
    """
    from remit.operations.gate.policies import PolicySource
    from remit.policy.lint import lint
    from remit.stack.supervisor import Stack

    settings = services.load_settings(data_dir)
    policy_file = policy_file or settings.remit_policy_file
    # A bad policy is told before anything starts.
    policy = PolicySource(policy_file).read()
    for warning in lint(policy):
        write_warning(warning)
    options = replace(
        _options_of(settings),
        temporal_port=temporal_port,
        temporal_ui_port=ui_port,
        policy_file=policy_file,
        modules=",".join((*services.module_references(settings), *(module or ()))),
    )
    progress = Progress(stderr=as_json, llm_provider=options.llm_provider)
    confirm = partial(_confirm_start, settings, policy)
    stack = Stack(DataDir(settings.remit_data_dir), options, report=progress, on_migrated=confirm)
    raise typer.Exit(_run(stack, progress, as_json=as_json))


def _options_of(settings: "Settings") -> "StackOptions":
    from remit.stack.discovery import normalize_database_url
    from remit.stack.options import StackOptions

    def usable(url: str | None, variable: str) -> str | None:
        return normalize_database_url(url, variable) if url else None

    return StackOptions(
        temporal_namespace=settings.temporal_namespace,
        database_url=usable(settings.database_url, "DATABASE_URL"),
        database_owner_url=usable(settings.database_owner_url, "DATABASE_OWNER_URL"),
        database_module_url=usable(settings.database_module_url, "DATABASE_MODULE_URL"),
        temporal_address=settings.temporal_address,
        llm_provider=usable_provider(settings),
    )


@contextmanager
def _connected(database_url: str) -> "Iterator[sa.Engine]":
    from remit.db.engine import create_database_engine

    engine = create_database_engine(
        database_url, role="remit_app", application_name="remit-up", pool_size=1
    )
    try:
        yield engine
    finally:
        engine.dispose()


def _confirm_start(settings: "Settings", policy: "PolicyConfig", database_url: str) -> None:
    """Confirm the policy that a stack starts with: to start it is an operator's command."""
    from remit.operations.gate.policies import confirm_at_start

    with _connected(database_url) as engine:
        confirm_at_start(engine, policy, services.keys_for(engine, settings, make=True))


def _run(stack: "Stack", progress: Progress, *, as_json: bool) -> int:
    began = time.monotonic()
    started = False
    with _stoppable():
        try:
            with spinner(_STARTING, quiet=as_json) as progress.console:
                info = stack.start()
            progress.console = None
            started = True
            admin = _first_admin(stack, info)
            _present(stack, info, time.monotonic() - began, admin, as_json=as_json)
            wait_for_no_reader()
            return _watch(stack)
        except KeyboardInterrupt:
            # To be stopped is how this command ends, unless it had not got that far.
            return EXIT_OK if started else EXIT_INTERRUPTED
        finally:
            if started:
                write_line("stopping ...", stderr=True)
            stack.stop()
            if started:
                write_line("stopped", stderr=True)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let what ends a process interrupt it once: what then stops is not to be disturbed."""
    numbers = ending_signals()

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    with handled(numbers, interrupt):
        yield


def _first_admin(stack: "Stack", info: "StackInfo") -> str | None:
    """Make this account the first admin of a new installation; return its token, kept for later.

    None: somebody is known already.
    """
    settings = services.load_settings(stack.data.path)
    with _connected(info.database_url) as engine:
        made = keep_first_admin(engine, settings, services.keys_for(engine, settings, make=True))
    return None if made is None else str(made.token)


def _present(
    stack: "Stack", info: "StackInfo", seconds: float, admin: str | None, *, as_json: bool
) -> None:
    from sqlalchemy import make_url

    from remit.settings import default_data_dir

    port = services.load_settings(stack.data.path).remit_metrics_port
    shown_url = make_url(info.database_url).render_as_string(hide_password=True)
    where = {
        "data_dir": str(stack.data.path),
        "database_url": shown_url,
        "temporal_address": info.temporal_address,
        "temporal_ui": info.temporal_ui,
        "policy_file": str(stack.options.policy_file) if stack.options.policy_file else None,
        "logs": str(stack.data.logs),
        # Where it is 0, the worker finds one, and its log says which.
        "metrics": f"http://127.0.0.1:{port}/metrics" if port else None,
    }
    if as_json:
        more = {"admin_token": admin, "seconds": round(seconds, 3)}
        write_json({"pid": info.pid, **where, **more})
        return
    write_line(Cell("Remit is up", "bold green"), f" after {seconds:.2f} s")
    names = ("data", "database", "Temporal", "Temporal UI", "policy", "logs", "metrics")
    values = where | {"policy_file": where["policy_file"] or "built-in"}
    write_facts(zip(names, values.values(), strict=True))
    if admin is not None:
        write_line("you are the first admin; your token, shown this once: ", Cell(admin, "bold"))
    if stack.data.path != default_data_dir():
        # Without this variable other commands would not mean this very stack.
        export = f"export REMIT_DATA_DIR={shlex.quote(str(stack.data.path))}"
        write_line("in other terminals: ", Cell(export, "bold"))
    write_line(Cell("next: ", "dim"), Cell(_EXAMPLE, "bold"))
    write_line(Cell("Ctrl-C stops everything.", "dim"))


def _watch(stack: "Stack") -> int:
    """Return once a server has ended by itself; a signal interrupts."""
    while (failure := stack.failure()) is None:
        time.sleep(0.5)
    write_line(f"remit: {failure}", stderr=True)
    return EXIT_UNSUCCESSFUL
