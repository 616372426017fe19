"""What the tests of workflows share: the state of a directive as the database has it."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.operations.evidence.records import Record, read_record

ReadRecord = Callable[[UUID], Record]


@pytest.fixture
def record_of(engine: sa.Engine) -> Iterator[ReadRecord]:
    """Return a reader of whole records; each that it read must have an intact chain."""
    read: set[UUID] = set()

    def record(directive_id: UUID) -> Record:
        read.add(directive_id)
        return read_record(engine, directive_id)

    yield record
    for directive_id in read:
        assert read_record(engine, directive_id).broken_at is None
