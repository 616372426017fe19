"""What becomes of an error: one line on standard error, and an exit code.

With `--json` the line is a JSON object, {"error": {...}}; standard output stays empty.
"""

import sys
import traceback
from typing import TYPE_CHECKING

import typer

from remit.base.wording import one_line
from remit.cli.base import streams
from remit.cli.base.output import json_text, print_out
from remit.errors import InvalidInputError, RemitError
from remit.redaction.masking import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

EXIT_OK = 0
"""What was asked for is done."""

EXIT_UNSUCCESSFUL = 1
"""It is done, and the outcome is not the hoped one: blocked, aborted, rejected, not confirmed."""

EXIT_REFUSED = 2
"""Nothing was done: bad input, an unknown id, a service that does not answer."""

EXIT_OUTPUT_LOST = 3
"""It is done, and standard output could not take what there was to tell of it."""

EXIT_DEFECT = 70
"""Remit itself broke."""

EXIT_INTERRUPTED = 130
"""Ctrl-C."""

EXIT_CODES = (
    "Exit codes: 0 done; 1 the outcome is not the hoped one (blocked, aborted, not confirmed); "
    "2 refused, nothing was done (bad input, unknown id, a service does not answer); "
    "3 done, but standard output could not take the answer (full, closed), and a token that could "
    "not be shown is revoked; "
    "70 a defect of Remit; 130 interrupted. "
    'With --json an error is one JSON object on standard error: {"error": {...}}.'
)
"""The end of `remit --help`."""

_LIMIT = 2000


def report_refusal(error: RemitError, *, as_json: bool) -> int:
    """Print a deliberate error; return the exit code."""
    faults = error.faults if isinstance(error, InvalidInputError) else ()
    text = str(error)
    if len(faults) > 1 and not as_json:
        # The message has them on one line; a person gets a line for each.
        print_out(f"remit: {one_line(text.partition(': (1) ')[0], _LIMIT)}:", stderr=True)
        for at, each in enumerate(faults, 1):
            print_out(f"  {at}. {one_line(each, _LIMIT)}", stderr=True)
        return EXIT_REFUSED
    details: dict[str, object] = {
        "type": error.error_type,
        "field": error.field,
        "message": error.message,
        "retryable": error.retryable,
    }
    _write(text, details | ({"faults": faults} if faults else {}), as_json=as_json)
    return EXIT_REFUSED


def report_misuse(error: typer.TyperException, *, as_json: bool) -> int:
    """Print what is wrong with the command line itself; return the exit code."""
    message = error.format_message().rstrip(".")
    if not message:
        return EXIT_REFUSED  # a group without a command: its help is shown already
    message = message[:1].lower() + message[1:]
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is not None:
        message += f"; see `{context.command_path} --help`"
    return report("invalid_input", message, EXIT_REFUSED, as_json=as_json)


def report_defect(error: Exception, *, as_json: bool, debug: bool) -> int:
    """Print an error that nobody foresaw; return the exit code."""
    if debug:
        traceback.print_exception(error)
        return EXIT_DEFECT
    # Whatever it quotes, nobody meant it to be shown.
    what = one_line(redact_text(f"{type(error).__name__}: {error}"), _LIMIT)
    message = f"this is a defect of Remit ({what}); `remit --debug ...` shows the traceback"
    return report("defect", message, EXIT_DEFECT, as_json=as_json)


def report_output_lost(message: str, *, as_json: bool) -> int:
    """Print that something is done and could not be told; return the exit code."""
    return report("untold", message, EXIT_OUTPUT_LOST, as_json=as_json)


def settle(code: int, *, as_json: bool) -> int:
    """Return a command's exit code, once it is known what became of all that it printed.

    A reader that has had enough, as `head` has, changes nothing.
    """
    loss = streams.loss(sys.stdout)
    streams.loss(sys.stderr)  # flushed; what is lost there can be told nowhere
    if loss is None or streams.is_enough() or code not in {EXIT_OK, EXIT_UNSUCCESSFUL}:
        return code
    untold = report_output_lost(
        f"this is done, and standard output could not take the answer ({loss}): "
        "look before you do it again",
        as_json=as_json,
    )
    return untold if code == EXIT_OK else code


def report(kind: str, message: str, code: int, *, as_json: bool) -> int:
    """Print what went wrong, `kind` being its type in JSON; return the exit code that was given."""
    details = {"type": kind, "field": None, "message": message, "retryable": False}
    _write(message, details, as_json=as_json)
    return code


def _write(text: str, details: "Mapping[str, object]", *, as_json: bool) -> None:
    if as_json:
        print_out(json_text({"error": details}, indent=None, stream=sys.stderr), stderr=True)
    else:
        print_out(f"remit: {one_line(text, _LIMIT)}", stderr=True)
