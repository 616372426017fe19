"""The options of `remit propose` that say what is to be done, one for each field."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import quoted
from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from remit.cli.base.directive_input import Defaults

_PANEL = "What is to be done"

RoleOption = Annotated[
    str | None, typer.Option("--role", help="Who is to act.", rich_help_panel=_PANEL)
]
TypeOption = Annotated[
    str | None,
    typer.Option("--type", help="The module: see `remit modules`.", rich_help_panel=_PANEL),
]
ObjectiveOption = Annotated[
    str | None, typer.Option("--objective", help="What is to be achieved.", rich_help_panel=_PANEL)
]
ScopeOption = Annotated[
    str | None,
    typer.Option("--scope", help="Where it may act, like test.", rich_help_panel=_PANEL),
]
PayloadOption = Annotated[
    str | None,
    typer.Option(
        "--payload",
        metavar="JSON|@FILE",
        help="Input of the module, a JSON object, between single quotes.",
        rich_help_panel=_PANEL,
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="Most it may cost in US dollars, like 50.00; a $ needs quotes: '$50.00'.",
        rich_help_panel=_PANEL,
    ),
]
TimeboxOption = Annotated[
    str | None,
    typer.Option("--timebox", help="Longest it may take, like 5m.", rich_help_panel=_PANEL),
]
ConstraintsOption = Annotated[
    str | None,
    typer.Option(
        "--constraints",
        metavar="JSON|@FILE",
        help="Limits for the module, a JSON object.",
        rich_help_panel=_PANEL,
    ),
]
MetricsOption = Annotated[
    str | None,
    typer.Option(
        "--success-metrics",
        metavar="JSON|@FILE",
        help="How success will be told, a JSON object.",
        rich_help_panel=_PANEL,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        help="Your own key: sent twice, it is one directive.",
        rich_help_panel=_PANEL,
    ),
]

CONTENT = (
    "role",
    "type",
    "objective",
    "scope",
    "payload",
    "budget",
    "timebox",
    "constraints",
    "success_metrics",
    "idempotency_key",
)
"""Fields that have an option, in the order in which `propose` declares them."""

_OBJECTS = ("payload", "constraints", "success_metrics")


def given(values: Sequence[str | None]) -> dict[str, str]:
    """Return the options that were given, by field; `values` are in the order of `CONTENT`."""
    pairs = zip(CONTENT, values, strict=True)
    return {name: value for name, value in pairs if value is not None}


def from_options(options: Mapping[str, str], defaults: "Defaults") -> dict[str, object]:
    """Return the directive that the options describe, checked.

    Args:
        options: those that were given, by field.
        defaults: what need not be said.

    Raises:
        InvalidInputError: the first fault; `field` names the directive's field.
    """
    from remit.cli.base.directive_input import check_directive, read_option

    data: dict[str, object] = {**options}
    if "budget" in options:
        _refuse_rest(options["budget"])
    for name in _OBJECTS:
        if name in options:
            data[name] = read_option(options[name], name)
    return check_directive(data, defaults)


def _refuse_rest(budget: str) -> None:
    """Refuse what a shell leaves of an amount, as `.00` of `$5.00`: it replaces `$5` by nothing.

    Raises:
        InvalidInputError: that is all there is.
    """
    if budget.startswith((".", ",")) or not budget.strip("0.,"):
        raise InvalidInputError(
            f"{quoted(budget)} is no amount to spend; in a shell, quote the $: '$50.00', or leave "
            "it out: 50.00; to spend nothing, leave out --budget",
            field="budget",
        )


def refuse_options(options: Mapping[str, str], file: str) -> None:
    """Raise InvalidInputError when content is given by options beside a file."""
    from remit.cli.base.directive_input import STANDARD_INPUT

    is_file = file == STANDARD_INPUT or Path(file).exists()
    for name in options:
        option = "--" + name.replace("_", "-")
        hint = "" if is_file else f"; {quoted(file)} is none, so quote what has spaces"
        raise InvalidInputError(
            f"cannot stand beside a file: write it into the file{hint}", field=option
        )
