"""`remit demo` on real servers: a short tour that passes, and tours that do not."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remit.cli.base.token_files import account_name
from remit.tour.startup import SCRIPT, shipped
from tests.integration.tour.conftest import RunDemo

SHORT = ("Echo, allowed by policy", "Rejected, then approved", "A worker killed, one effect")


@pytest.fixture
def room() -> Iterator[Path]:
    """Return a folder that the system user which runs Postgres for root may pass through."""
    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        yield Path(folder)


def _lines(*titles: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in shipped(SCRIPT).read_text().splitlines()]
    return [line for line in lines if line["title"] in titles]


def _write(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "tour.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def steps_shown(out: str) -> list[str]:
    """Return the names of the steps that the tour shows of one directive, in order."""
    _, _, shown = out.partition("One trace through every process  ")
    tree, _, _ = shown.partition("`remit trace ID`")
    return [line.split()[0] for line in tree.splitlines()[1:] if line.strip()]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_short_tour_passes_and_its_folder_is_kept(run_demo: RunDemo, room: Path) -> None:
    kept = room / "kept"
    run = run_demo("--tour", _write(room, _lines(*SHORT)), "--data-dir", kept)
    assert (run.returncode, run.stderr) == (0, "")
    out = run.stdout
    assert "\x1b" not in out
    assert re.search(r"All 3 as expected, in [\d.]+ s\.", out)
    assert re.search(
        r"✓ worker \d+ was killed in attempt 1, worker \d+ finished in attempt 2: one effect", out
    )
    assert re.search(r"✓ nothing ran without a signed grant: 3 runs", out)
    assert re.search(r"✓ every vote is signed, and a person's: 1 by operator", out)
    assert re.search(r"Rejected, then approved +operator rejects: wait for the backup", out)
    assert re.search(r"First completed directive  [\d.]+ s after the start", out)
    assert steps_shown(out) == [
        *("propose", "policy.evaluate", "start", "vote", "submit", "policy.evaluate", "start"),
        *("vote", "execute", "module", "artifact", "run.end"),
    ]
    assert f"remit up --data-dir {kept}" in out
    assert "✗" not in out
    assert (kept / "postgres").is_dir()
    assert not (kept / "stack.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_tour_may_be_played_again_where_it_was_kept(run_demo: RunDemo, room: Path) -> None:
    tour, kept = _write(room, _lines("Echo, allowed by policy")), room / "kept"
    (kept / "logs").mkdir(parents=True)
    (kept / "VERSION").write_text("1\n")
    (kept / "spans").write_text("here no span can be kept")
    first = run_demo("--tour", tour, "--data-dir", kept, "--json")
    (kept / "spans").unlink()
    token = (kept / "tokens" / account_name()).read_text()
    again = run_demo("--tour", tour, "--data-dir", kept, "--json")
    for run in (first, again):
        assert (run.returncode, run.stderr) == (0, "")
        assert token.strip() not in run.stdout
    # Telemetry that failed changed nothing; where it did not, the trace has the directive's id.
    reports = [json.loads(run.stdout) for run in (first, again)]
    ids = [None, reports[1]["directives"][0]["id"].replace("-", "")]
    assert [report["trace_id"] for report in reports] == ids
    assert (kept / "tokens" / account_name()).read_text() == token


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_tour_whose_expectation_differs_exits_with_1_and_says_how(
    run_demo: RunDemo,
) -> None:
    lines = _lines(
        "Echo, allowed by policy",
        "Staging, a person approves",
        "Staging, a person rejects",
        "Over the ceiling of $100",
    )
    lines[0]["expect"]["attempts"] = 2
    lines[0]["person"] = [{"act": "approve", "as": "operator", "refused": "forbidden"}]
    lines[1]["person"][0]["refused"] = "forbidden"
    lines[3]["expect"]["blocked_by"] = ["tool_allowlist"]
    lines.append({**lines[3], "directive": {**lines[3]["directive"], "budget": "a lot"}})
    # Through a pipe: a tour is read once.
    text = "".join(json.dumps(line) + "\n" for line in lines)
    run = run_demo("--tour", "/dev/stdin", "--json", text=text)
    report = json.loads(run.stdout)
    assert (run.returncode, run.stderr, report["passed"]) == (1, "", False)
    assert [one["differences"] for one in report["directives"]] == [
        [
            (
                f"operator could not approve: directive {report['directives'][0]['id']} "
                "never asked for approval"
            ),
            "attempts: expected 2, found 1",
        ],
        ["operator could approve, which was to be refused"],
        [],
        ["blocked_by: expected tool_allowlist, found budget_ceiling"],
        [
            (
                'refused: budget: "a lot" is not an amount of US dollars: write it like "$50", '
                '"50.00", "100 USD" or "$1,000.00"'
            )
        ],
    ]
    assert all(proof["holds"] for proof in report["proofs"])
    assert 0 < report["started_seconds"]["worker"] < report["first_completed_seconds"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no directive: write one a line, as JSON"),
        ("{}", "line 1: title: missing: say in a few words what it shows"),
    ],
)
def test_a_bad_tour_is_refused_before_anything_is_started(
    run_demo: RunDemo, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    run = run_demo("--tour", path, "--data-dir", tmp_path / "data")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"remit: {path}: {message}\n"
    assert not (tmp_path / "data").exists()


def test_a_folder_that_holds_something_else_is_refused(run_demo: RunDemo, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    run = run_demo("--data-dir", tmp_path)
    assert run.returncode == 2
    assert run.stderr == (
        f"remit: {tmp_path} is not a Remit data directory: it holds 'letter.txt' and no VERSION "
        "file; name an empty or new directory with --data-dir\n"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]
