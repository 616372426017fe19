"""Label values are bounded."""

import pytest

from remit.db.schema import metadata
from remit.policy.engine import POLICIES
from remit.policy.types import CHANGED_CONTENT
from remit.telemetry import metric_definitions
from remit.telemetry.metric_definitions import MANY_NAMES, OTHER, ClosedList, FirstNames
from remit.vocabulary import AbortReason, DoubtReason, LLMErrorType, PolicyName, TableName, words_of


@pytest.mark.parametrize(
    ("listed", "true"),
    [
        (words_of(PolicyName), {one.__name__ for one in POLICIES} | {CHANGED_CONTENT.policy}),
        (words_of(TableName), set(metadata.tables)),
    ],
)
def test_the_listed_words_are_those_of_the_layers_above(
    listed: tuple[str, ...], true: set[str]
) -> None:
    assert set(listed) == true


def test_each_label_has_the_words_of_its_type() -> None:
    assert set(metric_definitions.FAILURE_TYPES) == set(words_of(AbortReason)) | set(
        words_of(DoubtReason)
    )
    assert set(metric_definitions.CALL_STATUSES) == {"success", *words_of(LLMErrorType)}


def test_a_word_that_is_not_listed_becomes_other() -> None:
    words = ClosedList({"a"})
    assert [words.bound("a"), words.bound("b"), words.bound("")] == ["a", OTHER, OTHER]


@pytest.mark.parametrize("value", ["", "two words", "x" * 65, "ä", "sk-" + "a" * 40, "a\n", "-a"])
def test_what_has_not_the_form_of_a_name_becomes_other(value: str) -> None:
    assert FirstNames().bound(value) == OTHER


def test_only_so_many_names_get_in() -> None:
    names = FirstNames()
    values = {names.bound(f"module-{number}") for number in range(MANY_NAMES + 10)}
    assert len(values) == MANY_NAMES + 1
    assert names.bound("module-3") == "module-3"
    assert names.bound("late") == OTHER


def test_every_metric_is_named_as_prometheus_asks() -> None:
    for metric in metric_definitions.DEFINITIONS:
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_seconds") or metric.kind != "histogram"
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(metric.buckets)
