"""The program `remit`: every command in one place, and what becomes of errors.

A command's module is imported here, and so costs every command its start: what loads a large
library (SQLAlchemy, Temporal's client, pydantic) is imported by the function that uses it.
"""

import atexit
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup, TyperOption

from remit.cli.base import failures, streams
from remit.cli.base.output import console
from remit.cli.base.telemetry import package_version
from remit.cli.commands import (
    artifacts,
    audit,
    catalog,
    database,
    decisions,
    demo,
    directives,
    evaluation,
    evidence,
    invitations,
    keys,
    memory,
    policy,
    principals,
    propose,
    top,
    up,
    watch,
    workers,
)
from remit.errors import MisconfiguredError, RemitError


class LightGroup(TyperGroup):
    """A group whose own options cost no import.

    Typer turns a value into its option's type with pydantic, which takes 80 ms to load. It leaves
    alone what is a boolean already, and an absent `--help` is none until it has a default.
    """

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - of a module that is Typer's own
        """Return the group's options; a flag that has no default is false."""
        params = super().get_params(ctx)
        for each in params:
            if isinstance(each, TyperOption) and each.is_flag and each.default is None:
                each.default = False
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - likewise
        """Read the command line; a help that it asks for gets a width that it can be read in."""
        if not args or {"-h", "--help"} & set(args):
            _bound_help()
        return super().parse_args(ctx, args)


def _bound_help() -> None:
    """Let Typer's help have the width of our own tables."""
    try:
        from typer import rich_utils
    except ValueError as error:
        raise MisconfiguredError("write a whole number", field="TERMINAL_WIDTH") from error
    rich_utils.MAX_WIDTH = rich_utils.MAX_WIDTH or console().width


UNDESCRIBED = (
    " Most commands have no description here: PYTHONOPTIMIZE=2, as python -OO, takes it away; "
    "unset it."
)
"""What the help says where there are no docstrings, from which Typer has the descriptions."""

app = typer.Typer(
    name="remit",
    cls=LightGroup,
    help="Governed execution for AI agents and automations.",
    epilog=failures.EXIT_CODES + (UNDESCRIBED if sys.flags.optimize > 1 else ""),
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    suggest_commands=True,
)

COMMANDS: Mapping[str, Mapping[str, Callable[..., None]]] = {
    "The loop": {
        "propose": propose.propose,
        "submit": propose.submit,
        "approve": decisions.approve,
        "reject": decisions.reject,
        "cancel": decisions.cancel,
        "reconcile": decisions.reconcile,
        "retry": propose.retry,
    },
    "What happened": {
        "list": directives.list_directives,
        "show": directives.show,
        "explain": directives.explain,
        "trace": directives.trace,
        "watch": watch.watch,
        "top": top.top,
    },
    "What there is": {
        "modules": catalog.modules,
        "workers": catalog.workers,
        "schema": catalog.schema,
    },
    "Services": {
        "demo": demo.demo,
        "up": up.up,
        "worker": workers.worker,
        "llm-worker": workers.llm_worker,
    },
}
"""Every command, under the heading that `remit --help` gives it."""

GROUPS: Mapping[str, Mapping[str, typer.Typer]] = {
    "What there is": {"policy": policy.app},
    "What happened": {
        "evidence": evidence.app,
        "artifacts": artifacts.app,
        "audit": audit.app,
        "evaluation": evaluation.app,
    },
    "What is remembered": {"memory": memory.app},
    "Who may do what": {"token": invitations.app, "principal": principals.app, "keys": keys.app},
    "Services": {"db": database.app},
}
"""Every group of commands, likewise."""

for _heading, _commands in COMMANDS.items():
    for _name, _function in _commands.items():
        app.command(_name, rich_help_panel=_heading)(_function)
for _heading, _groups in GROUPS.items():
    for _name, _group in _groups.items():
        app.add_typer(_group, name=_name, cls=LightGroup, rich_help_panel=_heading)


@app.callback(invoke_without_command=True)
def remit(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
) -> None:
    """Governed execution for AI agents and automations."""
    del debug  # read by `run`, which sees the errors
    if version:
        typer.echo(f"remit {package_version() or 'of a checkout that is not installed'}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line, without the program's name, and return its exit code."""
    if list(arguments[:1]) == ["help"]:
        arguments = [*arguments[1:], "--help"]
    as_json, debug = "--json" in arguments, "--debug" in arguments
    try:
        code = app(list(arguments), prog_name="remit", standalone_mode=False)
    except RemitError as error:
        code = failures.report_refusal(error, as_json=as_json)
    except typer.TyperException as error:
        code = failures.report_misuse(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        code = failures.EXIT_INTERRUPTED
    except SystemExit as error:
        # So Typer ends for a broken pipe. Our output never raises: it is another one that broke.
        code = error.code
        if isinstance(error.__context__, BrokenPipeError):
            code = failures.report_defect(error.__context__, as_json=as_json, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last line of defense for a person's screen
        code = failures.report_defect(error, as_json=as_json, debug=debug)
    return failures.settle(code if isinstance(code, int) else failures.EXIT_OK, as_json=as_json)


def main() -> None:
    """Run the command line of this process and end it."""
    streams.take_over()
    _end(run(sys.argv[1:]))


def _end(code: int) -> NoReturn:
    """End this process, past the interpreter's own end where Temporal's client is loaded.

    Its threads may be handing back an answer just now, or waiting on a timer. An interpreter that
    ends in the middle of that is aborted, or they complain on standard error.
    """
    if "temporalio" not in sys.modules:
        sys.exit(code)
    # Closes logs and connections, as the end of the interpreter would.
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
