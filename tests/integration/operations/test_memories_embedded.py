"""Having memories embedded, which may cost something: who may."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from remit.errors import ForbiddenError
from remit.identity.types import Principal
from remit.memory.writing import NewMemory
from remit.operations.recall.memories import embed_memories, remember
from tests.integration.memory.conftest import WordEmbedder
from tests.integration.operations.conftest import AUDITOR
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE, OPERATOR

TEA = NewMemory("kitchen", "Ada likes tea.")
SPENDERS: dict[str, tuple[Principal, bool]] = {
    "an agent that proposes": (AGENT, True),
    "an agent with a token for something else": (replace(AGENT, scopes=("audit",)), False),
    "an operator": (OPERATOR, True),
    "an admin": (ADMIN, True),
    "an approver": (GRACE, False),
    "an auditor": (AUDITOR, False),
}
"""Who, and whether they may have memories embedded, which may cost something."""


@pytest.mark.parametrize("name", SPENDERS)
def test_only_whoever_may_spend_has_memories_embedded(empty_engine: sa.Engine, name: str) -> None:
    by, may = SPENDERS[name]
    [memory] = remember(empty_engine, [TEA], by=ADMIN, keys=KEYS)
    embedder = WordEmbedder()
    if may:
        assert embed_memories(empty_engine, embedder, [memory.memory_id], by=by).count == 1
    else:
        with pytest.raises(ForbiddenError):
            embed_memories(empty_engine, embedder, [memory.memory_id], by=by)
    assert len(embedder.asked) == may
