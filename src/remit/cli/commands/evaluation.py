"""`remit evaluation`: tell of ended runs by hand, and lay them side by side.

A worker tells of each run by itself, whatever comes of it. Here a person asks, and so is told what
fails. The provider is the one that this command's environment chooses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import DataDirOption, IdArgument, JsonOption

if TYPE_CHECKING:
    from remit.evaluation.interface import DirectProvider

app = typer.Typer(
    help="Who is told of ended runs: by hand, and side by side.", no_args_is_help=True
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="What the experiment is called, like before-upgrade.")
]
RoleOption = Annotated[
    str | None, typer.Option("--role", show_default=False, help="Only those for this role.")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", show_default=False, help="Only those for this module.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=1000, help="At most so many, the last to end first.")
]


@app.callback()
def evaluation() -> None:
    """Tell whoever evaluates of ended runs, and see how they are judged."""


@app.command()
def status(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Say who is told of ended runs, and ask whether they can be; 1 when they cannot.

    It is 0 when nobody was chosen, too. A worker's environment may choose another than this one.
    """
    from remit.cli.base.services import load_settings
    from remit.cli.views.evaluation import write_status
    from remit.evaluation.config import choose_provider
    from remit.evaluation.interface import EvaluationProviderError

    settings = load_settings(data_dir)
    name = settings.evaluation_provider or "noop"
    try:
        provider = choose_provider(settings)
        with _asking(name, as_json=as_json):
            provider.check()
    except EvaluationProviderError as error:
        write_status(name, error, as_json=as_json)
        raise typer.Exit(EXIT_UNSUCCESSFUL) from error
    write_status(name, None, as_json=as_json)


@app.command()
def tell(
    directive: IdArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Tell of a directive's ended run, and print how it is judged.

    A worker has told of it already, unless none lived that could. Telling again replaces what was
    told. What a run did is never told: no payload, no result, no message.
    """
    from remit.cli.base.services import database
    from remit.cli.base.telemetry import told_of
    from remit.cli.views.evaluation import write_told

    provider = _provider(data_dir)
    with database(data_dir) as engine:
        from remit.operations.evidence.records import read_ended_run, resolve_id

        ended = read_ended_run(engine, resolve_id(engine, directive))
    with _asking(provider.name, as_json=as_json):
        provider.log_trace(told_of(ended))
        results = provider.score(told_of(ended))
    write_told(provider.name, ended, results, as_json=as_json)


@app.command()
def experiment(
    name: NameArgument,
    *,
    role: RoleOption = None,
    type_: TypeOption = None,
    limit: LimitOption = 100,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lay the last ended runs side by side under a name; 1 when there is none to lay.

    What it is known under at the provider is printed. Under a name that there is, they join those
    that lie there.
    """
    from remit.cli.base.services import database
    from remit.cli.base.telemetry import told_of
    from remit.cli.views.evaluation import write_experiment

    _check_name(name)
    provider = _provider(data_dir)
    with database(data_dir) as engine:
        from remit.execution.ended_repository import EndedFilter
        from remit.operations.evidence.records import read_ended_runs

        wanted = EndedFilter(role=role, type=type_, limit=limit)
        inputs = [told_of(each) for each in read_ended_runs(engine, wanted)]
    with _asking(provider.name, as_json=as_json):
        known_under = provider.experiment(name, inputs) if inputs else None
    write_experiment(provider.name, name, known_under, len(inputs), as_json=as_json)
    if known_under is None:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _provider(data_dir: Path | None) -> "DirectProvider":
    """Return the provider that is chosen, unguarded: what fails is told.

    Raises:
        MisconfiguredError: none is chosen.
        EvaluationProviderError: the chosen one cannot be used.
    """
    from remit.cli.base.services import load_settings
    from remit.cli.base.telemetry import NOBODY
    from remit.cli.views.evaluation import NOBODY_IS_TOLD
    from remit.errors import MisconfiguredError
    from remit.evaluation.config import choose_provider

    provider = choose_provider(load_settings(data_dir))
    if provider.name == NOBODY:
        raise MisconfiguredError(f"{NOBODY_IS_TOLD}; set it to braintrust")
    return provider


def _check_name(name: str) -> None:
    """Return quietly when an experiment may be called so.

    Raises:
        InvalidInputError: it is empty, too long, or holds what cannot be shown or looks secret.
    """
    from remit.errors import InvalidInputError
    from remit.evaluation.checks import MAX_TEXT_LENGTH, outgoing_text

    # What would leave otherwise than it was written would be looked for in vain.
    if not name.strip() or outgoing_text(name) != name:
        raise InvalidInputError(
            f"must be 1 to {MAX_TEXT_LENGTH} printable characters on one line, with no secret",
            field="NAME",
        )


@contextmanager
def _asking(provider: str, *, as_json: bool) -> Iterator[None]:
    """Show a person that the provider is being asked."""
    from remit.cli.base.output import spinner

    with spinner(f"asking {provider}", quiet=as_json):
        yield
