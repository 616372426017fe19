"""A service to ask, for every test that wants one of its own."""

from collections.abc import Iterator

import pytest

from tests.support.embedding_server import EmbeddingServer, serving


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    """Yield a running service."""
    with serving() as running:
        yield running
