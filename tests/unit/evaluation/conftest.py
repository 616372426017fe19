"""A service to tell, and a provider that hangs, for every test that wants one of its own."""

from collections.abc import Iterator

import pytest

from tests.support.braintrust_server import BraintrustServer, serving
from tests.support.evaluations import Hanging


@pytest.fixture
def server() -> Iterator[BraintrustServer]:
    """Yield a running service."""
    with serving() as running:
        yield running


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Yield a provider that hangs, and let it go."""
    provider = Hanging()
    yield provider
    provider.let_go.set()
