"""`remit trace`: a directive's steps as this machine kept them."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.cli.views.trace import own_steps
from remit.telemetry.ids import root_span_id_of
from remit.telemetry.setup import TelemetryOptions, start
from remit.telemetry.span_reader import SpanNode, StoredSpan
from remit.telemetry.state import LossCounter
from remit.telemetry.tracing import directive_root, directive_span, span
from tests.cli.conftest import Remit, Shown
from tests.support import otlp
from tests.support.contents import proposed
from tests.support.golden import golden

losses = otlp.losses


@pytest.fixture
def spans(tmp_path: Path) -> Path:
    """Return where `keeper`'s installation keeps its spans."""
    return tmp_path / "data" / "spans"


@pytest.fixture
def directive(kept_in: sa.Engine) -> UUID:
    """Return a directive that nothing was kept of."""
    return proposed(kept_in).id


@pytest.fixture
def kept(directive: UUID, spans: Path, losses: LossCounter) -> Iterator[UUID]:
    """Return a directive whose steps were kept."""
    with start(TelemetryOptions("remit-test", "0", span_folder=spans)):
        began = time.time_ns()
        with directive_span(directive, "policy.evaluate", verdict="allow"):
            pass
        directive_root(directive, "propose", started_ns=began, status="approved")
        with (
            pytest.raises(RuntimeError),
            directive_span(directive, "execute"),
            span("module", module_name="echo", status="success"),
        ):
            raise RuntimeError("password=hunter2-canary was refused")
    yield directive
    assert losses.counts() == {}


def test_the_steps_are_a_tree_with_times_processes_and_how_each_ended(
    keeper: Remit, kept: UUID
) -> None:
    shown = keeper("trace", str(kept))
    assert (shown.code, shown.err) == (0, "")
    text = re.sub(r" +[\d.]+ ms", "  N ms", shown.out)
    assert golden("trace", "a tree of steps", trace=kept.hex) == text
    began = [float(line.split(" ms ")[0].split()[-1]) for line in shown.out.splitlines()[1:]]
    assert began == sorted(began)
    assert began[0] == 0
    assert "canary" not in shown.out


def test_without_temporals_own_steps_what_stands_within_them_moves_up() -> None:
    names = ["propose", " start", "  StartWorkflow:X", "   RunActivity:y", "    execute", " vote"]
    whole = [
        SpanNode(
            len(name) - len(name.lstrip()),
            StoredSpan.model_validate(forged(UUID(int=1), name=name.lstrip())),
        )
        for name in names
    ]
    shown = [" " * each.depth + each.span.name for each in own_steps(whole)]
    assert shown == ["propose", " start", "  execute", " vote"]
    assert own_steps([]) == []


def test_as_json_it_is_one_document_with_every_span(keeper: Remit, kept: UUID) -> None:
    shown = keeper("trace", str(kept), "--json")
    assert (shown.code, shown.err) == (0, "")
    told = json.loads(shown.out)
    assert (told["directive_id"], told["trace_id"]) == (str(kept), kept.hex)
    assert [(each["depth"], each["name"]) for each in told["spans"]] == [
        (0, "propose"),
        (1, "policy.evaluate"),
        (1, "execute"),
        (2, "module"),
    ]
    root = told["spans"][0]
    assert (root["span_id"], root["parent_id"]) == (f"{root_span_id_of(kept):016x}", None)
    assert root["attributes"] == {"directive_id": str(kept), "status": "approved"}
    assert "canary" not in shown.out


def test_the_beginning_of_an_id_is_enough(keeper: Remit, kept: UUID) -> None:
    assert keeper("trace", str(kept)[:8]) == keeper("trace", str(kept))


def test_when_nothing_was_kept_that_is_said_with_exit_code_1(
    keeper: Remit, directive: UUID, spans: Path
) -> None:
    shown = keeper("trace", str(directive))
    line = f"trace {directive.hex}\nno span of it is kept in {spans}\n"
    assert shown == Shown(1, line, "")
    shown = keeper("trace", str(directive), "--json")
    assert (shown.code, json.loads(shown.out)["spans"]) == (1, [])


@pytest.mark.parametrize("given", [str(UUID(int=1)), "0000", "xyz", "01"])
def test_an_id_that_is_nobodys_is_refused(keeper: Remit, kept: UUID, given: str) -> None:
    shown = keeper("trace", given)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: ")


def test_a_configured_collector_is_named_without_its_password(
    keeper: Remit, kept: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://bot:hunter2-canary@host/otlp")
    first = keeper("trace", str(kept)).out.splitlines()[0]
    assert first == f"trace {kept.hex}, sent to https://bot:[redacted]@host/otlp too"


def forged(directive: UUID, **changes: Any) -> Mapping[str, Any]:
    """Return a span as somebody wrote it into a file."""
    fields: dict[str, Any] = {
        "trace_id": directive.hex,
        "span_id": "0" * 15 + "f",
        "parent_id": None,
        "name": "forged",
        "service": "x",
        "pid": 1,
        "start_ns": 1,
        "end_ns": 2,
        "status": "unset",
        "status_text": None,
        "attributes": {},
        "events": [],
        "links": [],
    }
    return fields | changes


NO_SPANS: Mapping[str, Mapping[str, Any]] = {
    "another trace": {"trace_id": "0" * 32, "links": ["the directive"]},
    "an id that is none": {"span_id": "\x1b[2J"},
    "a time that is none": {"start_ns": "now"},
    "a time below zero": {"end_ns": -1},
    "attributes within attributes": {"attributes": {"a": {"b": 1}}},
    "no name": {"name": None},
    "more than any span has": {"name": "x" * 70_000},
}


@pytest.mark.parametrize("kind", NO_SPANS)
def test_a_line_that_is_no_span_of_the_trace_is_passed_over(
    keeper: Remit, kept: UUID, spans: Path, kind: str
) -> None:
    whole = keeper("trace", str(kept))
    line = json.dumps(forged(kept, **NO_SPANS[kind]))
    (spans / "0-1.jsonl").write_text(f"{line}\n{line[: len(line) // 2]}\n{kept.hex}\n\0\n[]\n")
    assert keeper("trace", str(kept)) == whole


@pytest.mark.parametrize("file", ["0-1.jsonl", "z-1.jsonl"])
@pytest.mark.parametrize(("began", "first"), [(1, "forged"), (2**62, "propose")])
def test_of_a_span_that_was_kept_twice_the_earlier_one_is_shown_whichever_is_read_first(
    keeper: Remit, kept: UUID, spans: Path, file: str, began: int, first: str
) -> None:
    again = forged(kept, span_id=f"{root_span_id_of(kept):016x}", start_ns=began, end_ns=began)
    (spans / file).write_text(json.dumps(again) + "\n")
    told = json.loads(keeper("trace", str(kept), "--json").out)
    names = [(each["depth"], each["name"]) for each in told["spans"]]
    assert names == [(0, first), (1, "policy.evaluate"), (1, "execute"), (2, "module")]


UNSAFE = "\x1b]0;owned\x07\x1b[2J\u202egnp\r\nremit: all is well\t\0"


def test_nothing_unsafe_in_a_forged_span_reaches_the_terminal(
    keeper: Remit, kept: UUID, spans: Path
) -> None:
    line = forged(
        kept,
        name=UNSAFE,
        service=UNSAFE,
        status="error",
        status_text=UNSAFE,
        attributes={UNSAFE: UNSAFE},
        events=[{"name": UNSAFE, "at_ns": 1, "attributes": {UNSAFE: UNSAFE}}],
    )
    (spans / "0-1.jsonl").write_text(json.dumps(line) + "\n")
    for options in ((), ("--json",)):
        shown = keeper("trace", str(kept), *options)
        assert (shown.code, shown.err) == (0, "")
        assert "owned" in shown.out
        assert [c for c in shown.out if not (c.isprintable() or c == "\n")] == []
        if not options:
            # One line a span, and one for the trace.
            assert len(shown.out.splitlines()) == 6


def test_spans_that_are_each_others_parents_end_the_command_all_the_same(
    keeper: Remit, kept: UUID, spans: Path
) -> None:
    whole = keeper("trace", str(kept))
    one, other = "a" * 16, "b" * 16
    ring = [
        forged(kept, span_id=one, parent_id=other),
        forged(kept, span_id=other, parent_id=one),
        forged(kept, span_id="c" * 16, parent_id="c" * 16),
    ]
    (spans / "0-1.jsonl").write_text("".join(json.dumps(each) + "\n" for each in ring))
    assert keeper("trace", str(kept)) == whole


@pytest.mark.parametrize("end_ns", [0, 10**30])
def test_times_that_no_clock_gave_are_shown_and_break_nothing(
    keeper: Remit, kept: UUID, spans: Path, end_ns: int
) -> None:
    line = forged(kept, start_ns=5 * 10**18, end_ns=end_ns)
    (spans / "0-1.jsonl").write_text(json.dumps(line) + "\n")
    shown = keeper("trace", str(kept))
    assert (shown.code, shown.err) == (0, "")
    assert "forged" in shown.out


def test_a_thousand_steps_within_one_another_are_shown(
    keeper: Remit, kept: UUID, spans: Path
) -> None:
    def name(number: int) -> str:
        return f"{number + 1:016x}"

    deep = [
        forged(kept, span_id=name(n), parent_id=name(n - 1) if n else None, name=f"s{n}")
        for n in range(1000)
    ]
    (spans / "0-1.jsonl").write_text("".join(json.dumps(each) + "\n" for each in deep))
    shown = keeper("trace", str(kept))
    assert (shown.code, shown.err) == (0, "")
    assert "s999" in shown.out
