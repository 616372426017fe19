"""Databases without a schema."""

from collections.abc import Callable
from itertools import count

import pytest

from remit.stack.postgres import EmbeddedPostgres
from tests.support.servers import execute, renamed

BlankDatabase = Callable[[], str]
"""Makes a database that holds nothing and returns its address."""


@pytest.fixture(scope="session")
def blank_database(postgres_server: EmbeddedPostgres) -> BlankDatabase:
    numbers = count(1)

    def make() -> str:
        name = f"blank_{next(numbers)}"
        execute(postgres_server.database_url, f"CREATE DATABASE {name}")
        return renamed(postgres_server.database_url, name)

    return make
