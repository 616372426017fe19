"""The settings choose the provider; what is wrong with them is told at once, by name."""

import json
import subprocess
import sys
from typing import Any

import pytest

from remit.evaluation.config import get_evaluation_provider
from remit.evaluation.guarded import GuardedEvaluation
from remit.evaluation.interface import EvaluationProviderError
from remit.settings import Settings


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "noop"),
        ({"evaluation_provider": ""}, "noop"),
        ({"evaluation_provider": "noop"}, "noop"),
        ({"evaluation_provider": "braintrust", "braintrust_api_key": "k"}, "braintrust"),
        (
            {
                "evaluation_provider": "braintrust",
                "braintrust_api_url": "http://127.0.0.1:9",
            },
            "braintrust",
        ),
    ],
)
def test_the_chosen_provider_is_handed_out_guarded(fields: dict[str, Any], name: str) -> None:
    provider = get_evaluation_provider(Settings(**fields))
    assert isinstance(provider, GuardedEvaluation)
    assert provider.name == name


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"evaluation_provider": "braintrsut"},
            'EVALUATION_PROVIDER is "braintrsut": set it to noop or braintrust',
        ),
        (
            {"evaluation_provider": "Noop\n"},
            'EVALUATION_PROVIDER is "Noop\\n": set it to noop or braintrust',
        ),
        (
            {"evaluation_provider": "braintrust"},
            (
                "no key for the evaluation service: set BRAINTRUST_API_KEY, or set "
                "EVALUATION_PROVIDER to noop"
            ),
        ),
    ],
)
def test_a_wrong_choice_is_named_with_its_remedy(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(EvaluationProviderError) as refusal:
        get_evaluation_provider(Settings(**fields))
    assert refusal.value.message == expected
    assert refusal.value.reason == "misconfigured"
    assert not refusal.value.retryable


LOADED = """
import json, sys
from remit.evaluation.config import get_evaluation_provider
from remit.settings import Settings
for word in ("noop", "braintrust"):
    get_evaluation_provider(Settings(evaluation_provider=word, braintrust_api_key="k"))
print(json.dumps(sorted(sys.modules)))
"""


def test_choosing_a_provider_loads_no_sdk_and_nothing_that_could_act() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert {
        *("braintrust", "requests", "sqlalchemy", "temporalio", "psycopg"),
        *("remit.db", "remit.operations", "remit.workflows", "remit.execution"),
    }.isdisjoint(json.loads(run.stdout))
