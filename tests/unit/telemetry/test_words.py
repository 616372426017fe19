"""Label values are bounded."""

import typing

import pytest

from remit.approval.types import VoidReason
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import StatusReason
from remit.execution.modules.types import ModuleErrorType, ModuleStatus
from remit.operations.policies import PolicyFault
from remit.policy.engine import POLICIES
from remit.policy.types import CHANGED_CONTENT, PolicyVerdict
from remit.telemetry import catalog
from remit.telemetry.words import MANY_NAMES, OTHER, Names, Words


def _members(union: object) -> set[str]:
    return {
        word
        for part in typing.get_args(union)
        for word in (_members(part) if typing.get_args(part) else {part})
    }


@pytest.mark.parametrize(
    ("listed", "true"),
    [
        (catalog.DIRECTIVE_STATUSES, _members(DirectiveStatus)),
        (catalog.VERDICTS, set(PolicyVerdict)),
        (catalog.POLICIES, {one.__name__ for one in POLICIES} | {CHANGED_CONTENT.policy}),
        (catalog.POLICY_FAULTS, _members(PolicyFault)),
        (catalog.MODULE_STATUSES, set(ModuleStatus)),
        (catalog.VOID_REASONS, _members(VoidReason)),
        (
            catalog.FAILURE_TYPES,
            (_members(StatusReason) | _members(ModuleErrorType))
            - {"policy", "rejected", "expired"},
        ),
    ],
)
def test_the_listed_words_are_those_of_the_layers_above(
    listed: frozenset[str], true: set[str]
) -> None:
    assert listed == true


def test_a_word_that_is_not_listed_becomes_other() -> None:
    words = Words({"a"})
    assert [words.bound("a"), words.bound("b"), words.bound("")] == ["a", OTHER, OTHER]


@pytest.mark.parametrize("value", ["", "two words", "x" * 65, "ä", "sk-" + "a" * 40, "a\n", "-a"])
def test_what_has_not_the_form_of_a_name_becomes_other(value: str) -> None:
    assert Names().bound(value) == OTHER


def test_only_so_many_names_get_in() -> None:
    names = Names()
    values = {names.bound(f"module-{number}") for number in range(MANY_NAMES + 10)}
    assert len(values) == MANY_NAMES + 1
    assert names.bound("module-3") == "module-3"
    assert names.bound("late") == OTHER


def test_every_metric_is_named_as_prometheus_asks() -> None:
    for metric in catalog.CATALOG:
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_seconds") or metric.kind != "histogram"
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(metric.buckets)
