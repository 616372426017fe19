"""What is shown while the benchmark runs: a bar on a terminal, a line a step in a pipe.

Both go to standard error, so that standard output holds the figures and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Reporter(Protocol):
    """Is told of each step."""

    def doing(self, what: str) -> None:
        """Say what begins now."""

    def done(self, what: str) -> None:
        """Count one step, and say what came of it."""


class _Bar:
    def __init__(self, bar: Progress, steps: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=steps)

    def doing(self, what: str) -> None:
        self._bar.update(self._task, description=what)

    def done(self, what: str) -> None:
        del what
        self._bar.advance(self._task)


class _Lines:
    def __init__(self, console: Console, steps: int) -> None:
        self._console = console
        self._steps = steps
        self._count = 0

    def doing(self, what: str) -> None:
        """Say nothing: the line comes when there is a result."""

    def done(self, what: str) -> None:
        self._count += 1
        self._console.print(f"[{self._count}/{self._steps}] {what}", soft_wrap=True)


@contextmanager
def reporting(steps: int) -> Iterator[Reporter]:
    """Show progress during the block.

    Args:
        steps: how many steps there will be.
    """
    console = Console(stderr=True, markup=False, highlight=False)
    if not console.is_terminal:
        yield _Lines(console, steps)
        return
    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, steps)
