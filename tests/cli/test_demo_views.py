"""What a person at a terminal and a reader of a pipe see of the tour while it runs."""

import re

import pytest
from rich.console import Console

from remit.cli.views.demo import JsonView, LiveView, PlainView, choose_view
from remit.cli.views.tour import summary
from remit.stack.options import StackEvent
from remit.tour.progress import Moment
from remit.tour.script import Outcome, load_script
from remit.tour.startup import SCRIPT, shipped
from tests.support.golden import golden


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, "was refused"),
        (Outcome(verdict="allow", status="complete", run="completed", attempts=1), "complete"),
        (Outcome(verdict="block", status="blocked", reason="expired"), "blocked: expired"),
        (
            Outcome(
                verdict="block",
                status="blocked",
                reason="policy",
                blocked_by=("budget_ceiling", "scope_allowlist"),
            ),
            "blocked: budget_ceiling, scope_allowlist",
        ),
        (
            Outcome(verdict="allow", status="aborted", reason="module_error"),
            "aborted: module_error",
        ),
        (
            Outcome(verdict="require_approval", status="complete", approved_by=("operator",)),
            "complete, by operator",
        ),
        (
            Outcome(verdict="require_approval", status="complete", approved_by=("ada", "bob")),
            "complete, by 2 people",
        ),
        (
            Outcome(verdict="allow", status="complete", attempts=2, effects=1),
            "complete, 2 tries, 1 effect",
        ),
        (Outcome(verdict="allow", status="complete", effects=2), "complete, 2 effects"),
    ],
)
def test_an_outcome_is_told_in_a_few_words(outcome: Outcome | None, said: str) -> None:
    assert summary(outcome) == said


def test_a_pipe_gets_a_line_for_each_act_and_each_end(capsys: pytest.CaptureFixture[str]) -> None:
    script = load_script(shipped(SCRIPT))[:2]
    with PlainView() as view:
        view.stack_event(StackEvent("postgres", 0.5))
        view.stack_event(StackEvent("stack", 0.9))
        view.begin(script)
        view.moment(Moment(0, "gate", "passed", "allowed by policy"))
        view.moment(Moment(0, "consent", "passed", "operator approves\x1b[31m", note=True))
        view.moment(Moment(1, "evidence", "passed", "complete", ended=True))
    out = re.sub(r"^ *[\d.]+ s  ", "", capsys.readouterr().out, flags=re.MULTILINE)
    assert golden("demo", "a pipe") == out


def test_a_terminal_shows_every_directive_in_its_boxes_and_fits_100_columns() -> None:
    view = LiveView()
    view.begin(load_script(shipped(SCRIPT)))
    view.stack_event(StackEvent("worker", 0.5))
    view.stack_event(StackEvent("worker_lost", 0.7))
    for box in ("intent", "gate"):
        view.moment(Moment(0, box, "passed", "ok"))
    view.moment(Moment(0, "consent", "waits", "waits for a person " + "x" * 100))
    view.moment(Moment(1, "gate", "stopped", "blocked", ended=True))
    console = Console(width=100, height=40, force_terminal=False)
    with console.capture() as captured:
        console.print(view.drawing(100))
    shown = captured.get().splitlines()
    assert max(map(len, shown)) <= 100
    assert golden("demo", "a terminal") == "".join(f"{line.rstrip()}\n" for line in shown)


def test_a_terminal_shows_the_servers_before_the_tour_is_read() -> None:
    console = Console(width=100, force_terminal=False)
    with console.capture() as captured:
        console.print(LiveView().drawing(100))
    assert " ".join(captured.get().split()) == "◐ Postgres ◐ tables ◐ Temporal ◐ worker"


def test_whoever_reads_gets_the_view_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(choose_view(as_json=True)) is JsonView
    assert type(choose_view(as_json=False)) is PlainView
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert type(choose_view(as_json=False)) is LiveView
