"""What `remit evaluation` prints. What a provider answered is shown, and never believed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from remit.base.wording import printable
from remit.cli.base.output import Cell, Row, write_json, write_line, write_table
from remit.cli.base.telemetry import NOBODY

if TYPE_CHECKING:
    from remit.errors import ProviderError
    from remit.evaluation.interface import EvaluationResult
    from remit.execution.models import EndedRun

NOBODY_IS_TOLD = "nobody is told of ended runs: EVALUATION_PROVIDER chooses no provider"
"""What holds before somebody has chosen."""

_HEADER = ("NAME", "SCORE", "BY")


def write_status(provider: str, problem: "ProviderError | None", *, as_json: bool) -> None:
    """Print who is told, and whether they can be.

    Args:
        provider: the word that chooses it, as it was set.
        problem: why it cannot be told of a run; None when it can.
        as_json: whether a program reads it.
    """
    if as_json:
        tells = provider != NOBODY and problem is None
        said = None if problem is None else {"reason": problem.reason, "message": problem.message}
        write_json({"provider": provider, "tells": tells, "problem": said})
    elif problem is not None:
        shown = printable(provider, 60)
        write_line(Cell(shown, "bold"), f" cannot be told of ended runs: {problem.message}")
    elif provider == NOBODY:
        write_line(NOBODY_IS_TOLD)
    else:
        write_line(Cell(provider, "bold"), " can be told of ended runs")


def write_told(
    provider: str, ended: "EndedRun", results: "Sequence[EvaluationResult]", *, as_json: bool
) -> None:
    """Print what was told, and every judgement of it."""
    if as_json:
        write_json({"provider": provider, "run": ended, "results": results})
        return
    how = f" ({ended.run_status}) was told to {provider}"
    write_line("run ", Cell(str(ended.run_id), "bold"), how)
    write_table(_HEADER, [_row(each) for each in results])


def write_experiment(
    provider: str, name: str, known_under: str | None, runs: int, *, as_json: bool
) -> None:
    """Print what an experiment is known under.

    Args:
        provider: who was told.
        name: what it is called.
        known_under: what it is known under there; None when there is none.
        runs: how many runs lie in it by this.
        as_json: whether a program reads it.
    """
    if as_json:
        write_json({"provider": provider, "name": name, "experiment": known_under, "runs": runs})
    elif known_under is None:
        write_line("no ended runs to lay side by side", stderr=True)
    else:
        many = "1 run" if runs == 1 else f"{runs} runs"
        write_line("experiment ", Cell(known_under, "bold"), f" at {provider}: {many}")


def _row(result: "EvaluationResult") -> Row:
    score = "-" if result.score is None else f"{result.score:.2f}"
    return result.name, score, str(result.metadata.get("by", ""))
