"""Tells a service on this machine of runs, and proves what no failure may show."""

import traceback

import pytest
from pydantic import SecretStr

from remit.evaluation.braintrust import BraintrustEvaluationProvider
from remit.evaluation.interface import EvaluationProviderError
from tests.support.braintrust_server import BraintrustServer
from tests.support.evaluations import ended_run

KEY = "sk-canary-7f3a9d"
TOLD = "type-canary"


def provider(
    server: BraintrustServer, *, key: str | None = KEY, timeout_seconds: float = 20
) -> BraintrustEvaluationProvider:
    return BraintrustEvaluationProvider(
        api_key=None if key is None else SecretStr(key),
        project="remit",
        api_url=server.url,
        timeout_seconds=timeout_seconds,
    )


def failure(asked: BraintrustEvaluationProvider) -> EvaluationProviderError:
    """Return how telling of a run fails, once it is proven that the failure gives nothing away."""
    with pytest.raises(EvaluationProviderError) as refusal:
        asked.log_trace(ended_run(type=TOLD))
    shown = "".join(traceback.format_exception(refusal.value)) + repr(refusal.value)
    for secret in (KEY, TOLD, "upstream"):
        assert secret not in shown
    linked: BaseException | None = refusal.value
    while linked is not None:
        assert type(linked).__module__.split(".")[0] not in {"braintrust", "requests", "urllib3"}
        linked = linked.__cause__ or linked.__context__
    return refusal.value
