"""How far something is that takes long: a bar for a person on a terminal, and nothing in a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager

from remit.base.progress import Progress, tell_nobody
from remit.cli.base.output import console, on_terminal


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Progress]:
    """Show how far something is, until the block ends.

    Args:
        what: what is being done, in one word.
        quiet: whether to show nothing on a terminal either.

    Yields:
        What is to be told of each step.
    """
    if quiet or not on_terminal():
        yield tell_nobody
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console(), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
