"""Every provider under test, and a service for each test of it."""

from collections.abc import Iterator

import pytest

from remit.cognition.llm.provider import LLMProvider
from tests.conformance.llm.cases import CASES, Case
from tests.support.llm_server import LLMServer, serving


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    """Return a provider to make."""
    return CASES[request.param]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    """Yield a running service."""
    with serving() as running:
        yield running


@pytest.fixture
def provider(case: Case, server: LLMServer) -> LLMProvider:
    """Return the provider, asking that service."""
    return case.make(server, 20)
