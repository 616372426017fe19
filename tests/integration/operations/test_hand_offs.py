"""What is made and parsed for one directive that policy allows, from the door to its rows."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, JsonValue, TypeAdapter

from remit.base import canonical, money
from remit.base.json_types import JsonObject
from remit.directives import models
from remit.directives.models import intent_of, parse_directive
from remit.execution.modules.types import ModuleOutput
from remit.operations.gate import proposals
from remit.operations.runs.beginning import start_run
from remit.operations.runs.results import end_run
from remit.policy import types
from tests.architecture.tree import ROOT
from tests.support.contents import AUTHORITY, SHORT, directive, policy, proposed, under
from tests.support.keys import WORKER
from tests.support.people import AGENT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DAILY: Sequence[JsonObject] = ({"name": "daily", "ceiling": "$9,000.00", "period": "day"},)
NOT_OF_THE_DIRECTIVE = re.compile(
    r"remit\.(db|signing|telemetry|identity|policy\.(config|limits)|base\.json_types)\b"
    r"|remit\.execution\.(worker_repository|workers)\b|.*\.Spending$"
)
"""Statements and how the database's values are read, keys and envelopes, spans, people, the policy,
workers and what the limits have left: what no directive is handed over in."""


@contextmanager
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect the types of Remit's own values that are made meanwhile.

    What a dataclass' or a model's `__init__` makes is seen by a profiler, and what pydantic makes
    without it where it validates, also in a list. Tuples, dictionaries and what the stack of
    another thread makes are not seen.
    """
    found: set[str] = set()

    def note(value: object) -> None:
        if isinstance(value, list):
            for one in value:
                note(one)
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        if name.startswith("remit.") and not NOT_OF_THE_DIRECTIVE.match(name):
            found.add(name)

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == "__init__":
            note(frame.f_locals.get("self"))

    def noting(validate: Callable[..., object]) -> Callable[..., object]:
        def validated(*args: Any, **options: Any) -> object:
            value = validate(*args, **options)
            note(value)
            return value

        return validated

    model: Any = BaseModel.model_validate
    with monkeypatch.context() as patch:
        patch.setattr(BaseModel, "model_validate", classmethod(noting(model.__func__)))
        patch.setattr(TypeAdapter, "validate_python", noting(TypeAdapter.validate_python))
        sys.setprofile(profile)
        try:
            yield found
        finally:
            sys.setprofile(None)


def test_an_allowed_directive_passes_nine_value_types_which_the_page_names(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = intent_of(directive(budget="$1.23")) | {"status": "proposed"}
    with made(monkeypatch) as found:
        new = parse_directive(content, max_bytes=65536)
        [outcome] = proposals.propose(engine, [new], AUTHORITY, by=AGENT)
    assert outcome.directive.status == "approved"
    assert simple(found) == listed("It passes these value types:")
    assert len(found) == 9


@pytest.mark.parametrize(
    ("limits", "cost"),
    [((), None), (DAILY, None), (DAILY, Decimal("1.00")), ((), Decimal("1.00"))],
)
def test_its_run_passes_six_more_whether_or_not_money_was_promised_or_spent(
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    limits: Sequence[JsonObject],
    cost: Decimal | None,
) -> None:
    authority = under(policy(budget_limits=[*limits]))
    directive = proposed(engine, authority.policy, budget="$1.23")
    with made(monkeypatch) as found:
        run = start_run(engine, directive.id, lambda _: SHORT, authority).run
        assert run is not None
        output = ModuleOutput.success(cost=cost)
        state = end_run(engine, directive, run, output, worker=WORKER, emitted=())
    assert state.directive.status == "complete"
    more = simple(found) - listed("It passes these value types:")
    assert more == listed("The run adds these value types:\n")
    assert len(more) == 6


def listed(under: str) -> set[str]:
    """Return the types that the page names in the paragraph that begins so, at the line's head."""
    text = PAGE.partition(under)[2].lstrip("\n").partition("\n\n")[0]
    points = re.findall(r"^- `(\w+)`", text, re.MULTILINE)
    return set(points or re.findall(r"`(\w+)`", text))


def simple(found: set[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in found}


def test_a_budget_is_parsed_twice_and_an_intent_made_canonical_once(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pure gate trusts nothing but its input, so it parses the budget a second time."""
    content = intent_of(directive(budget="$1.23"))
    parsed: list[str] = []
    written: list[JsonValue] = []

    def parse_budget(text: str, **options: Any) -> object:
        parsed.append(text)
        return money.parse_budget(text, **options)

    def canonical_json(value: Any) -> bytes:
        written.append(dict(value))
        return canonical.canonical_json(value)

    monkeypatch.setattr(models, "parse_budget", parse_budget)
    monkeypatch.setattr(types, "parse_budget", parse_budget)
    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("remit.") and getattr(module, "canonical_json", None)
    ]
    for module in modules:
        if module is not canonical:
            monkeypatch.setattr(module, "canonical_json", canonical_json)
    new = parse_directive({**content, "status": "proposed"}, max_bytes=65536)
    [outcome] = proposals.propose(engine, [new], AUTHORITY, by=AGENT)
    assert outcome.directive.status == "approved"
    assert parsed == ["$1.23", "$1.23"]
    assert written.count(dict(content)) == 1
    assert len(written) > 1, "the other values of the directive are made canonical as well"
