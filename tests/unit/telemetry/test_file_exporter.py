"""Recent spans in files: bounded, private, and read back though a crash cut them."""

import stat
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from remit.telemetry.exporters import MANY_FILES, FileSpanExporter
from remit.telemetry.ids import trace_id_of
from remit.telemetry.span_reader import read_trace
from remit.telemetry.state import LossCounter
from tests.support import otlp

losses = otlp.losses

DIRECTIVE = uuid4()


def span(
    number: int, parent: int | None = None, *, of: UUID = DIRECTIVE, name: str = "step"
) -> ReadableSpan:
    def context(span_id: int) -> SpanContext:
        return SpanContext(trace_id_of(of), span_id, is_remote=False, trace_flags=TraceFlags(1))

    return ReadableSpan(
        f"{name}-{number}",
        context=context(number),
        parent=None if parent is None else context(parent),
        resource=Resource({"service.name": "remit-test"}),
        start_time=number,
        end_time=number + 1,
    )


def tree(folder: Path) -> list[tuple[int, str]]:
    return [(branch.depth, branch.span.name) for branch in read_trace(folder, DIRECTIVE)]


def test_what_is_written_is_read_as_a_tree_whatever_the_order(tmp_path: Path) -> None:
    files = FileSpanExporter(tmp_path / "spans")
    assert files.export([span(5, 2), span(3, 1), span(2, 1)])
    assert files.export([span(4, 2), span(1), span(9, of=uuid4())])
    files.close()
    assert tree(tmp_path / "spans") == [
        (0, "step-1"),
        (1, "step-2"),
        (2, "step-4"),
        (2, "step-5"),
        (1, "step-3"),
    ]


def test_a_step_whose_parent_was_not_kept_stands_at_the_top(tmp_path: Path) -> None:
    FileSpanExporter(tmp_path).export([span(2, 1), span(3, 2)])
    assert tree(tmp_path) == [(0, "step-2"), (1, "step-3")]


def test_a_root_that_was_recorded_twice_counts_once(tmp_path: Path) -> None:
    FileSpanExporter(tmp_path).export([span(1), span(1), span(2, 1)])
    assert tree(tmp_path) == [(0, "step-1"), (1, "step-2")]


def test_steps_within_one_another_in_a_circle_are_no_tree(tmp_path: Path) -> None:
    FileSpanExporter(tmp_path).export([span(1, 2), span(2, 1), span(3)])
    assert tree(tmp_path) == [(0, "step-3")]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"trace_id": "',
        b"{}",
        b"[]\nnull\n",
        b"\xff\xfe\x00",
        b'{"trace_id":"%s","span_id":"x"}' % DIRECTIVE.hex.encode(),
        b"%s" % DIRECTIVE.hex.encode() * 4000,
    ],
    ids=["cut", "empty", "other JSON", "no UTF-8", "no span's id", "long"],
)
def test_a_damaged_line_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    FileSpanExporter(tmp_path).export([span(1)])
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage + b"\n" + file.read_bytes() + damage)
    assert tree(tmp_path) == [(0, "step-1")]


def test_a_line_cut_at_any_byte_hides_no_other(tmp_path: Path) -> None:
    FileSpanExporter(tmp_path).export([span(1), span(2, 1)])
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole) - 1):
        file.write_bytes(whole[:cut])
        assert tree(tmp_path) == [(0, "step-1")]


def test_a_span_that_is_no_line_is_counted_and_hides_no_other(
    tmp_path: Path, losses: LossCounter
) -> None:
    odd = ReadableSpan("odd", context=span(2).context, attributes={"cost_usd": float("nan")})
    assert FileSpanExporter(tmp_path).export([span(1), odd, span(3, 1)])
    assert tree(tmp_path) == [(0, "step-1"), (1, "step-3")]
    assert losses.counts() == {"recording": 1}


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    FileSpanExporter(folder).export([span(1)])
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_full_file_is_followed_by_another_and_all_together_are_bounded(tmp_path: Path) -> None:
    files = FileSpanExporter(tmp_path, total_bytes=20_000, file_bytes=4_000)
    for number in range(1, 400):
        assert files.export([span(number, number - 1 or None)])
    files.close()
    kept = list(tmp_path.iterdir())
    assert len(kept) > 1
    assert sum(file.stat().st_size for file in kept) <= 20_000
    assert all(file.stat().st_size <= 4_000 for file in kept)
    assert tree(tmp_path)[-1][1] == "step-399"


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    for number in range(MANY_FILES + 5):
        (tmp_path / f"{number:020d}-1.jsonl").touch()
    FileSpanExporter(tmp_path).export([span(1)])
    assert len(list(tmp_path.iterdir())) == MANY_FILES


def test_a_file_that_another_process_removed_is_followed_by_another(tmp_path: Path) -> None:
    files = FileSpanExporter(tmp_path)
    files.export([span(1)])
    next(tmp_path.iterdir()).unlink()
    files.export([span(2)])
    assert tree(tmp_path) == [(0, "step-2")]


def test_a_folder_that_cannot_be_made_is_an_error_for_the_queue_to_count(tmp_path: Path) -> None:
    (tmp_path / "spans").touch()
    with pytest.raises(OSError, match="spans"):
        FileSpanExporter(tmp_path / "spans").export([span(1)])


def test_nothing_was_kept_of_an_unknown_directive(tmp_path: Path) -> None:
    assert read_trace(tmp_path / "none", DIRECTIVE) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_goes_away_while_it_is_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "0.jsonl").mkdir()
    FileSpanExporter(tmp_path).export([span(1), ReadableSpan("of no trace")])
    assert tree(tmp_path) == [(0, "step-1")]
