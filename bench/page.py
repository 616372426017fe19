"""The measured part of docs/performance.md: written by command, never by hand."""

from collections.abc import Sequence
from pathlib import Path

from bench.measurement import IN_FLIGHT, Results
from bench.tables import Table, markdown, tables
from remit.errors import MisconfiguredError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
"""The page."""

BEGIN = "<!-- measured: begin; `make bench` writes what follows -->"
END = "<!-- measured: end -->"


def write_page(results: Results, page: Path = PAGE) -> None:
    """Replace the measured part of the page.

    Raises:
        MisconfiguredError: the page is missing, or does not say where that part is.
    """
    page.write_text(replaced(_read(page), measured_part(results)), encoding="utf-8")


def check_page(page: Path = PAGE) -> None:
    """Refuse a page that cannot be written, before anything is measured for it.

    Raises:
        MisconfiguredError: see :func:`write_page`.
    """
    replaced(_read(page), "")


def replaced(text: str, part: str) -> str:
    """Return `text` with `part` between the two markers, in place of what was there.

    Raises:
        MisconfiguredError: the markers are not there, once each, in their order.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end) or BEGIN in tail or END in head + tail:
        raise MisconfiguredError(f"the page needs one line {BEGIN!r}, and below it one {END!r}")
    return f"{head}{BEGIN}\n\n{part.strip()}\n\n{END}{tail}"


def measured_part(results: Results) -> str:
    """Return all figures as Markdown: on what, how much, and the tables."""
    parts = [_introduction(results)]
    parts += [f"### {table.title}\n\n{markdown(table)}" for table in tables(results)]
    return "\n\n".join(parts)


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except OSError as error:
        raise MisconfiguredError(f"{page} cannot be read; restore it") from error


def _introduction(results: Results) -> str:
    units = ", ".join(
        f"{results.of(load, in_flight)[0].units} with {in_flight} in flight"
        for in_flight in IN_FLIGHT
        for load in _measured(results, in_flight)[:1]
    )
    rounds = len({measurement.round for measurement in results.measurements})
    said = [f"Measured on {results.made}: {rounds} rounds; units of each load in a round: {units}."]
    if results.starts:
        said.append(f"Starts from nothing: {len(results.starts)}.")
    facts = Table("", ("Machine", ""), list(results.machine.items()))
    return f"{' '.join(said)}\n\n{markdown(facts)}"


def _measured(results: Results, in_flight: int) -> Sequence[str]:
    return [one.load for one in results.measurements if one.in_flight == in_flight]
