"""`remit up`: the embedded stack, from its start to its clean end."""

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.failures import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNSUCCESSFUL
from remit.cli.base.options import DataDirOption, JsonOption, ModuleOption
from remit.cli.base.output import Cell, spinner, write_json, write_line, write_table
from remit.cli.base.streams import wait_for_no_reader
from remit.cli.commands.worker import ending_signals

if TYPE_CHECKING:
    from rich.console import Console

    from remit.settings import Settings
    from remit.stack.options import StackEvent, StackOptions
    from remit.stack.state import StackInfo
    from remit.stack.supervisor import Stack

CHECK_SECONDS = 0.5
"""How often the servers are looked at."""

WORDS = (
    ("postgres", "Postgres answers"),
    ("database", "the schema is current"),
    ("temporal", "Temporal answers"),
    ("worker", "a worker polls its queues"),
    ("llm_worker", "a worker for language models polls its queue"),
)
"""What each event of the start means."""

LOST = (
    ("worker_lost", "the worker has ended by itself; another one is started"),
    ("llm_worker_lost", "the worker for language models has ended by itself; another is started"),
)
"""What is said of a worker that ends by itself."""

_STARTING = "starting Postgres, Temporal and a worker ..."
_EXAMPLE = (
    'remit propose --role operator --type echo --objective "say hello" --scope test '
    """--payload '{"hello": "world"}' --wait"""
)

PortOption = Annotated[
    int | None,
    typer.Option(
        "--temporal-port",
        min=1,
        max=65535,
        metavar="PORT",
        help="Port of Temporal. Default: a free one.",
    ),
]
UiPortOption = Annotated[
    int | None,
    typer.Option(
        "--ui-port",
        min=1,
        max=65535,
        metavar="PORT",
        help="Port of Temporal's web page. Default: a free one.",
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy-file",
        metavar="FILE",
        show_default=False,
        help="The policy. Default: REMIT_POLICY_FILE, else the built-in one.",
    ),
]


class Progress:
    """Tells what the stack does, as it does it.

    Args:
        stderr: whether to leave standard output alone, which a program reads.
        llm_provider: whose language models are asked; None for none.
    """

    def __init__(self, *, stderr: bool, llm_provider: str | None = None) -> None:
        self._stderr = stderr
        self._llm_provider = llm_provider
        self._complete = False
        self.console: Console | None = None

    def __call__(self, event: "StackEvent") -> None:
        """Print one event; called from any thread, one at a time."""
        if event.name == "stack":
            self._complete = True
        elif event.name in dict(LOST):
            self._say(dict(LOST)[event.name], "yellow")
        elif self._complete:
            self._say(f"{dict(WORDS)[event.name]} again", "green")
        else:
            which = f" ({self._llm_provider})" if event.name == "llm_worker" else ""
            self._say(f"{dict(WORDS)[event.name]}{which}, {event.seconds:.2f} s", "green")

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
    from remit.cli.base.services import confirm_start, load_settings, module_references
    from remit.operations.gate.policies import PolicySource
    from remit.policy.lint import lint
    from remit.stack.layout import DataDir
    from remit.stack.supervisor import Stack

    settings = load_settings(data_dir)
    policy_file = policy_file or settings.remit_policy_file
    # A bad policy is told before anything starts.
    policy = PolicySource(policy_file).read()
    for warning in lint(policy):
        write_line(Cell("warning: ", "yellow"), warning, stderr=True)
    options = replace(
        _options_of(settings),
        temporal_port=temporal_port,
        temporal_ui_port=ui_port,
        policy_file=policy_file,
        modules=",".join((*module_references(settings), *(module or ()))),
    )
    progress = Progress(stderr=as_json, llm_provider=options.llm_provider)
    confirm = partial(confirm_start, settings, policy)
    stack = Stack(DataDir(settings.remit_data_dir), options, report=progress, on_migrated=confirm)
    raise typer.Exit(_run(stack, progress, as_json=as_json))


def _options_of(settings: "Settings") -> "StackOptions":
    """Return what the environment alone says of the stack.

    Raises:
        RemitError: the provider of language models that it names cannot be used.
    """
    from remit.cli.commands.llm_worker import usable_provider
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


def _run(stack: "Stack", progress: Progress, *, as_json: bool) -> int:
    """Start the stack and watch over it until a signal; return the exit code."""
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

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in ending_signals()}
    for each in before:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _first_admin(stack: "Stack", info: "StackInfo") -> str | None:
    """Make this account the first admin of a new installation; return its token, kept for later.

    None: somebody is known already.
    """
    from remit.cli.base.services import keys_for, load_settings
    from remit.cli.base.token_files import keep_first_admin
    from remit.db.engine import create_database_engine

    settings = load_settings(stack.data.path)
    engine = create_database_engine(
        info.database_url, role="remit_app", application_name="remit-up", pool_size=1
    )
    try:
        made = keep_first_admin(engine, settings, keys_for(engine, settings, make=True))
    finally:
        engine.dispose()
    return None if made is None else str(made.token)


def _present(
    stack: "Stack", info: "StackInfo", seconds: float, admin: str | None, *, as_json: bool
) -> None:
    """Print where everything is, and once the token of the first admin."""
    from sqlalchemy import make_url

    from remit.cli.base.services import load_settings

    port = load_settings(stack.data.path).remit_metrics_port
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
    rows = zip(names, values.values(), strict=True)
    write_table((), [("", Cell(name, "dim"), value) for name, value in rows if value is not None])
    if admin is not None:
        write_line("you are the first admin; your token, shown this once: ", Cell(admin, "bold"))
    for name, value in _to_repeat(stack):
        write_line("in other terminals: ", Cell(f"export {name}={shlex.quote(value)}", "bold"))
    write_line(Cell("next: ", "dim"), Cell(_EXAMPLE, "bold"))
    write_line(Cell("Ctrl-C stops everything.", "dim"))


def _to_repeat(stack: "Stack") -> Iterator[tuple[str, str]]:
    """Yield the variables without which other commands would not mean this very stack."""
    from remit.settings import default_data_dir

    if stack.data.path != default_data_dir():
        yield "REMIT_DATA_DIR", str(stack.data.path)


def _watch(stack: "Stack") -> int:
    """Return once a server has ended by itself; a signal interrupts."""
    while (failure := stack.failure()) is None:
        time.sleep(CHECK_SECONDS)
    write_line(f"remit: {failure}", stderr=True)
    return EXIT_UNSUCCESSFUL
