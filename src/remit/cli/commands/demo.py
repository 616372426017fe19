"""`remit demo`: an embedded stack, a tour through the whole loop, and what it proved.

The stack starts first of all, in a thread of its own. Everything else that takes time, the imports
above all, happens while the servers come up.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import JsonOption
from remit.cli.commands.worker import ending_signals

if TYPE_CHECKING:
    from concurrent.futures import Future

    import sqlalchemy as sa

    from remit.cli.views.demo import View
    from remit.identity.types import Principal
    from remit.signing.keys import Keyring
    from remit.stack.discovery import StackInfo
    from remit.stack.supervisor import Stack
    from remit.tour.report import TourReport
    from remit.tour.script import Scene
    from remit.tour.session import Host

TOUR_MODULES = "remit.tour.inventory:InventoryModule,remit.tour.ledger:LedgerModule"
"""The module that the tour's worker has besides those it finds."""

_KeepOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        show_default=False,
        help="Keep what happens in this folder. Default: a temporary one, removed afterwards.",
    ),
]
_TourOption = Annotated[
    Path | None,
    typer.Option(
        "--tour",
        metavar="FILE",
        show_default=False,
        help="Another tour, as JSONL in the shape of examples/tour.jsonl.",
    ),
]


def demo(
    data_dir: _KeepOption = None, tour: _TourOption = None, as_json: JsonOption = False
) -> None:
    """Drive a tour of directives through the whole loop, on this machine alone.

    Starts Postgres, Temporal and a worker, plays the tour, says what it proved, and stops them.
    Exits with 1 when anything ended otherwise than expected.
    """
    script: Sequence[Scene] = ()
    if tour is not None:
        # Refused before anything is started. The tour that ships is read while the servers start.
        from remit.tour.script import load_script

        script = load_script(tour)
    with _interruptible(), _folder(data_dir) as folder:
        passed = _run(folder, script, keep=data_dir is not None, as_json=as_json)
    if not passed:
        raise typer.Exit(1)


def _run(folder: Path, script: "Sequence[Scene]", *, keep: bool, as_json: bool) -> bool:
    """Start a stack, play the tour, tell what came of it, stop the stack; return whether it passed.

    An empty script means the one that ships.

    Raises:
        RemitError: the stack does not come up, or goes away.
    """
    from remit.cli.base.services import load_settings
    from remit.cli.base.telemetry import spans_dir
    from remit.cli.views.demo import choose_view
    from remit.cli.views.trace import find_trace
    from remit.stack.layout import DataDir
    from remit.stack.options import StackOptions
    from remit.stack.supervisor import Stack
    from remit.tour.startup import POLICY, shipped

    view = choose_view(as_json=as_json)
    options = StackOptions(policy_file=shipped(POLICY), modules=TOUR_MODULES)
    stack = Stack(DataDir(folder), options, report=view.stack_event)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="remit-stack") as pool:
        starting = pool.submit(stack.start)
        try:
            with view:
                # The thread that migrates needs this as soon as Postgres answers.
                import_module("remit.db.migrate")
                report = _play(stack, starting, script, view)
            settings = load_settings(stack.data.path)
            view.tell(report, find_trace(report, spans_dir(settings)), folder if keep else None)
        finally:
            stack.stop()
    return report.passed


def _play(
    stack: "Stack", starting: "Future[StackInfo]", script: "Sequence[Scene]", view: "View"
) -> "TourReport":
    """Read the script, load the libraries, and play the tour on the stack once it is there."""
    from remit.tour.script import load_script
    from remit.tour.startup import SCRIPT, shipped

    script = script or load_script(shipped(SCRIPT))
    view.begin(script)
    import asyncio

    from remit.tour.session import play

    host = _host(stack.data.path)
    from remit.cli.base.services import load_settings
    from remit.cli.base.telemetry import observed

    settings = load_settings(stack.data.path)
    with observed(settings, "remit-demo", embedded=True) as seen:
        host = replace(host, observed=seen)
        return asyncio.run(play(stack, starting, host, script=script, watch=view.moment))


def _host(folder: Path) -> "Host":
    """Return this account as the host of a tour in `folder`, with the keys of the worker there."""
    from remit.cli.base import token_files
    from remit.cli.base.services import keys_for, load_settings, object_store
    from remit.tour.session import Host

    # As the worker has them: its stack is in the folder, whatever the environment says.
    settings = load_settings(folder).model_copy(update={"database_url": None})

    def find_admin(engine: "sa.Engine") -> "Principal":
        from remit.operations.identities.authentication import authenticate

        name = token_files.account_name()
        keys = keys_for(engine, settings, make=True)
        token_files.keep_first_admin(engine, settings, keys)
        return authenticate(engine, token_files.find_token_text(settings, name), keys)

    def find_keys(engine: "sa.Engine") -> "Keyring":
        return keys_for(engine, settings, make=True)

    return Host(find_keys, find_admin, lambda: object_store(settings))


@contextmanager
def _folder(data_dir: Path | None) -> Iterator[Path]:
    """Yield the folder to work in; one that nobody asked to keep is removed at the end."""
    if data_dir is not None:
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="remit-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let any signal end the tour as Ctrl-C does: the servers stop and the folder is removed."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in ending_signals()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
