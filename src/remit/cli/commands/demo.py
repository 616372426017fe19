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
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base import services, token_files
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import JsonOption, option
from remit.cli.base.signals import ending_signals, handled
from remit.cli.base.telemetry import observed, spans_dir
from remit.cli.views.trace import find_trace
from remit.stack.layout import DataDir
from remit.tour.startup import POLICY, SCRIPT, shipped

if TYPE_CHECKING:
    from concurrent.futures import Future

    import sqlalchemy as sa

    from remit.cli.views.demo import View
    from remit.identity.types import Principal
    from remit.settings import Settings
    from remit.signing.keys import Keyring
    from remit.stack.discovery import StackInfo
    from remit.stack.supervisor import Stack
    from remit.tour.report import TourReport
    from remit.tour.script import Scene

TOUR_MODULES = "remit.tour.inventory:InventoryModule,remit.tour.ledger:LedgerModule"
"""The module that the tour's worker has besides those it finds."""

_KeepOption = Annotated[
    Path | None,
    option(
        "--data-dir",
        "Keep what happens in this folder. Default: a temporary one, removed afterwards.",
        "DIR",
    ),
]
_TourOption = Annotated[
    Path | None,
    option("--tour", "Another tour, as JSONL in the shape of examples/tour.jsonl.", "FILE"),
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
    # Any of them ends the tour as Ctrl-C does: the servers stop and the folder is removed.
    as_ctrl_c = handled(ending_signals(), signal.default_int_handler)
    with as_ctrl_c, _folder(data_dir) as folder:
        passed = _run(folder, script, keep=data_dir is not None, as_json=as_json)
    if not passed:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _run(folder: Path, script: "Sequence[Scene]", *, keep: bool, as_json: bool) -> bool:
    """Start a stack, play the tour, tell what came of it, stop the stack; return whether it passed.

    An empty script means the one that ships.
    """
    from remit.cli.views.demo import choose_view
    from remit.stack.options import StackOptions
    from remit.stack.supervisor import Stack

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
            settings = services.load_settings(stack.data.path)
            view.tell(report, find_trace(report, spans_dir(settings)), folder if keep else None)
        finally:
            stack.stop()
    return report.passed


def _play(
    stack: "Stack", starting: "Future[StackInfo]", script: "Sequence[Scene]", view: "View"
) -> "TourReport":
    from remit.tour.script import load_script

    script = script or load_script(shipped(SCRIPT))
    view.begin(script)
    import asyncio

    from remit.tour.session import play

    settings = services.load_settings(stack.data.path)
    # As the worker has them: its stack is in the folder, whatever the environment says.
    of_worker = settings.model_copy(update={"database_url": None})
    with observed(settings, "remit-demo", embedded=True) as seen:
        tour = play(
            stack,
            starting,
            script=script,
            watch=view.moment,
            find_host=partial(_find_host, of_worker),
            find_store=partial(services.object_store, of_worker),
            observed=seen,
        )
        return asyncio.run(tour)


def _find_host(settings: "Settings", engine: "sa.Engine") -> "tuple[Keyring, Principal]":
    """Return the keys of the stack's worker, and this account as its first admin."""
    from remit.operations.identities.authentication import authenticate

    keys = services.keys_for(engine, settings, make=True)
    token_files.keep_first_admin(engine, settings, keys)
    text = token_files.find_token_text(settings, token_files.account_name())
    return keys, authenticate(engine, text, keys)


@contextmanager
def _folder(data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="remit-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
