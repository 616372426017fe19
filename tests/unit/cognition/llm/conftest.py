"""A service to ask, for every test that wants one of its own."""

from collections.abc import Iterator

import pytest

from tests.support.llm_server import LLMServer, serving


@pytest.fixture
def server() -> Iterator[LLMServer]:
    """Yield a running service."""
    with serving() as running:
        yield running
