"""`python -m bench`: measure, print, and on demand write the page.

Exit code 0 when it has measured, whatever it found; with `--strict` 1 when a target was missed;
2 when it could not measure.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measurement import Results
from bench.page import check_page, write_page
from bench.progress import reporting
from bench.session import FULL, QUICK, run
from bench.tables import markdown, rich, tables
from bench.targets import targets
from remit.errors import RemitError

MISSED, REFUSED, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark as a command and return its exit code."""
    asked = _parser().parse_args(arguments)
    plan = QUICK if asked.quick else FULL
    if asked.no_start:
        plan = dataclasses.replace(plan, starts=0)
    if asked.no_recall:
        plan = dataclasses.replace(plan, vectors=())
    if asked.rounds is not None:
        plan = dataclasses.replace(plan, rounds=asked.rounds)
    try:
        if asked.write:
            check_page()
        with reporting(plan.steps) as reporter:
            results = run(plan, reporter)
        show(results)
        if asked.json is not None:
            document = json.dumps(as_json(results), indent=2)
            asked.json.write_text(document + "\n", encoding="utf-8")
        if asked.write:
            write_page(results)
    except RemitError as error:
        print(f"bench: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    reached = all(target.reached for target in targets(results))
    return MISSED if asked.strict and not reached else 0


def show(results: Results) -> None:
    """Print every table: in color on a terminal, as Markdown in a pipe."""
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        for table in tables(results):
            console.print(rich(table))
            console.print()
        return
    for table in tables(results):
        print(f"{table.title}\n\n{markdown(table)}\n")


def as_json(results: Results) -> dict[str, object]:
    """Return the results, and whether each target was reached, as plain JSON."""
    return dataclasses.asdict(results) | {
        "targets": [dataclasses.asdict(target) for target in targets(results)]
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Remit beside the bare floor it stands on."
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, no proof")
    parser.add_argument("--rounds", type=_count, metavar="N", help="how many rounds to measure")
    parser.add_argument("--no-start", action="store_true", help="leave out the starts from nothing")
    parser.add_argument("--no-recall", action="store_true", help="leave out memory's search")
    parser.add_argument("--json", type=_file, metavar="FILE", help="write every figure to a file")
    parser.add_argument("--write", action="store_true", help="rewrite docs/performance.md's tables")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser


def _file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no file, or its folder does not exist")
    return path


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
