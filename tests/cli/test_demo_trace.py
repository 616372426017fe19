"""The trace that the tour shows at its end: read when it is whole, short, or said to be missing."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from remit.cli.views.trace import LONGEST, TourTrace, find_trace, tell_trace
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.telemetry.span_reader import SpanNode, StoredSpan
from remit.tour.report import Played, TourReport
from tests.support.golden import golden
from tests.unit.tour.samples import ID, KEYS, PEOPLE, a_played


def a_report(*played: Played) -> TourReport:
    return TourReport(played, 1.0, 1.0, PEOPLE, KEYS, ArtifactCheck(9, (), 0, 1))


def a_step(number: int, name: str, parent: int | None) -> dict[str, Any]:
    return {
        "trace_id": ID.hex,
        "span_id": f"{number:016x}",
        "parent_id": None if parent is None else f"{parent:016x}",
        "name": name,
        "service": "remit-test",
        "pid": 1,
        "start_ns": number * 1_000_000,
        "end_ns": number * 1_000_000 + 500_000,
        "status": "ok",
        "status_text": None,
        "attributes": {},
        "events": [],
        "links": [],
    }


def keep(folder: Path, process: str, *steps: dict[str, Any]) -> None:
    """Leave spans as a process does."""
    folder.mkdir(exist_ok=True)
    (folder / f"{process}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in steps))


ROOT = a_step(1, "propose", None)
WORK = (a_step(2, "StartWorkflow:X", 1), a_step(3, "execute", 2), a_step(4, "run.end", 3))


def test_the_trace_is_read_again_until_the_run_s_end_is_kept(tmp_path: Path) -> None:
    spans = tmp_path / "spans"
    keep(spans, "demo", ROOT)
    late = threading.Timer(0.2, keep, (spans, "worker", *WORK))
    late.start()
    found = find_trace(a_report(a_played()), spans)
    late.join()
    assert found is not None
    assert [each.span.name for each in found.branches] == [
        *("propose", "StartWorkflow:X", "execute", "run.end"),
    ]
    assert found.trace_id == ID.hex


def test_a_trace_whose_end_was_never_kept_is_shown_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.cli.views.trace._WAIT_SECONDS", 0.1)
    keep(tmp_path, "demo", ROOT)
    found = find_trace(a_report(a_played()), tmp_path)
    assert found is not None
    assert [each.span.name for each in found.branches] == ["propose"]


def test_a_tour_in_which_nothing_ran_has_no_trace_to_show(tmp_path: Path) -> None:
    assert find_trace(a_report(a_played(record=None)), tmp_path) is None


def test_a_trace_that_was_not_kept_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_trace(a_report(a_played()), tmp_path / "nothing")
    assert found is not None
    assert found.trace_id is None
    tell_trace(found)
    assert golden("demo", "a trace that was not kept") == capsys.readouterr().out


def test_the_tree_leaves_out_temporals_steps_and_names_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "all", ROOT, *WORK)
    found = find_trace(a_report(a_played()), tmp_path)
    assert found is not None
    tell_trace(found)
    assert golden("demo", "a trace") == capsys.readouterr().out


def test_a_long_trace_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [StoredSpan.model_validate(a_step(n, f"step{n}", None)) for n in range(LONGEST + 5)]
    tell_trace(TourTrace("Try", ID, [SpanNode(0, each) for each in steps]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == LONGEST + 2
    assert lines[-1] == (
        "  `remit trace ID` prints such a tree, with the other 5 and Temporal's own steps"
    )
