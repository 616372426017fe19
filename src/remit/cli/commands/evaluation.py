"""`remit evaluation`: tell of ended runs by hand, and lay them side by side.

A worker tells of each run by itself, and drops what fails; here whoever asks is told of it.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import counted, printable
from remit.cli.base.context import Context, Group
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import IdArgument, TypeOption, argument, option
from remit.cli.base.output import Cell, write_line, write_table
from remit.cli.base.telemetry import NOBODY, told_of
from remit.errors import InvalidInputError, MisconfiguredError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.evaluation.interface import DirectProvider, EvaluationResult
    from remit.execution.models import EndedRun

app = Group("Who is told of ended runs: by hand, and side by side.")

NameArgument = Annotated[
    str, argument("NAME", "What the experiment is called, like before-upgrade.")
]
RoleOption = Annotated[str | None, option("--role", "Only those for this role.")]
LimitOption = Annotated[
    int, option("--limit", "At most so many, the last to end first.", min=1, max=1000)
]

_NOBODY_IS_TOLD = "nobody is told of ended runs: EVALUATION_PROVIDER chooses no provider"


@app.add()
def status(context: Context) -> None:
    """Say who is told of ended runs, and ask whether they can be; 1 when they cannot.

    It is 0 when nobody was chosen, too. A worker's environment may choose another than this one.
    """
    from remit.evaluation.config import choose_provider
    from remit.evaluation.interface import EvaluationProviderError

    settings = context.settings
    name = settings.evaluation_provider or NOBODY
    problem: EvaluationProviderError | None = None
    try:
        provider = choose_provider(settings)
        with context.spinner(f"asking {name}"):
            provider.check()
    except EvaluationProviderError as error:
        problem = error
    said = None if problem is None else {"reason": problem.reason, "message": problem.message}
    tells = name != NOBODY and problem is None
    document = {"provider": name, "tells": tells, "problem": said}
    context.show(document, lambda: _write_status(name, problem))
    if problem is not None:
        raise typer.Exit(EXIT_UNSUCCESSFUL) from problem


def _write_status(provider: str, problem: ProviderError | None) -> None:
    if problem is not None:
        shown = printable(provider, 60)
        write_line(Cell(shown, "bold"), f" cannot be told of ended runs: {problem.message}")
    elif provider == NOBODY:
        write_line(_NOBODY_IS_TOLD)
    else:
        write_line(Cell(provider, "bold"), " can be told of ended runs")


@app.add()
def tell(context: Context, directive: IdArgument) -> None:
    """Tell of a directive's ended run, and print how it is judged.

    A worker has told of it already, unless none lived that could. Telling again replaces what was
    told. What a run did is never told: no payload, no result, no message.
    """
    provider = _provider(context)
    found = context.resolve(directive)
    from remit.operations.evidence.records import read_ended_run

    ended = read_ended_run(context.engine, found)
    with context.spinner(f"asking {provider.name}"):
        provider.log_trace(told_of(ended))
        results = provider.score(told_of(ended))
    document = {"provider": provider.name, "run": ended, "results": results}
    context.show(document, lambda: _write_told(provider.name, ended, results))


def _write_told(provider: str, ended: "EndedRun", results: "Sequence[EvaluationResult]") -> None:
    how = f" ({ended.run_status}) was told to {provider}"
    write_line("run ", Cell(str(ended.run_id), "bold"), how)
    rows = [
        (
            each.name,
            "-" if each.score is None else f"{each.score:.2f}",
            str(each.metadata.get("by", "")),
        )
        for each in results
    ]
    write_table(("NAME", "SCORE", "BY"), rows)


@app.add()
def experiment(
    context: Context,
    name: NameArgument,
    *,
    role: RoleOption = None,
    type_: TypeOption = None,
    limit: LimitOption = 100,
) -> None:
    """Lay the last ended runs side by side under a name; 1 when there is none to lay.

    What it is known under at the provider is printed. Under a name that there is, they join those
    that lie there.
    """
    _check_name(name)
    provider = _provider(context)
    engine = context.engine
    from remit.execution.ended_repository import EndedFilter
    from remit.operations.evidence.records import read_ended_runs

    wanted = EndedFilter(role=role, type=type_, limit=limit)
    inputs = [told_of(each) for each in read_ended_runs(engine, wanted)]
    with context.spinner(f"asking {provider.name}"):
        known_under = provider.experiment(name, inputs) if inputs else None

    def write() -> None:
        if known_under is None:
            write_line("no ended runs to lay side by side", stderr=True)
        else:
            many = f" at {provider.name}: {counted(len(inputs), 'run')}"
            write_line("experiment ", Cell(known_under, "bold"), many)

    document = {"provider": provider.name, "name": name, "experiment": known_under}
    context.show({**document, "runs": len(inputs)}, write)
    if known_under is None:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _provider(context: Context) -> "DirectProvider":
    """Return the provider that is chosen, unguarded: what fails is told."""
    from remit.evaluation.config import choose_provider

    provider = choose_provider(context.settings)
    if provider.name == NOBODY:
        raise MisconfiguredError(f"{_NOBODY_IS_TOLD}; set it to braintrust")
    return provider


def _check_name(name: str) -> None:
    from remit.evaluation.checks import MAX_TEXT_LENGTH, outgoing_text

    # What would leave otherwise than it was written would be looked for in vain.
    if not name.strip() or outgoing_text(name) != name:
        raise InvalidInputError(
            f"must be 1 to {MAX_TEXT_LENGTH} printable characters on one line, with no secret",
            field="NAME",
        )
