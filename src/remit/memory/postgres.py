"""The reader of the database.

Three locks, one behind the other: no method of it writes, every read runs in a transaction that
Postgres holds to reading, and its engine acts as `remit_reader`, which has no right to write and
sees no payload, no evidence, no event and no principal.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import sqlalchemy as sa

from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.db.session import snapshot
from remit.errors import InvalidInputError
from remit.memory import repository
from remit.memory.enforcement import MemoryAccessAttempt, readonly_method
from remit.memory.results import (
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    SemanticResult,
)
from remit.memory.statements import is_believed
from remit.memory.vector import semantic_search_with_content
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType, RunStatus


class PostgresMemoryReader:
    """Answers from Postgres, in the name of one principal.

    Args:
        engine: the database, with the role `remit_reader`.
        embedder: makes the vector of a question; its model is the only one that is searched.
        principal: in whose name it reads.
        keys: what verifies who wrote a memory; one that does not verify is not answered.
        record: stores an attempt, or raises; a read that is not recorded is not answered.
    """

    __slots__ = ("_embedder", "_engine", "_keys", "_principal", "_record")
    name: ClassVar[str] = "postgres"

    def __init__(
        self,
        engine: sa.Engine,
        *,
        embedder: EmbeddingProvider,
        principal: str,
        keys: Keyring,
        record: Callable[[MemoryAccessAttempt], None],
    ) -> None:
        if not principal:
            raise InvalidInputError("say in whose name memory is read", field="principal")
        self._engine = engine
        self._embedder = embedder
        self._principal = principal
        self._keys = keys
        self._record = record

    @property
    def principal(self) -> str:
        """In whose name it reads."""
        return self._principal

    @readonly_method("latest_directive_for_role")
    def latest_directive_for_role(self, role: str) -> DirectiveSummary | None:
        """Return the newest directive that addresses a role, or None when there is none."""
        with snapshot(self._engine) as connection:
            return repository.latest_directive(connection, role)

    @readonly_method("execution_summaries")
    def execution_summaries(
        self, limit: int, status_filter: RunStatus | None = None
    ) -> list[ExecutionSummary]:
        """Return runs, newest first: all of them, or those that stand so."""
        with snapshot(self._engine) as connection:
            return repository.list_executions(connection, limit, status_filter)

    @readonly_method("artifacts_by_type")
    def artifacts_by_type(self, artifact_type: ArtifactType, limit: int) -> list[ArtifactSummary]:
        """Return the artifacts of one type, newest first."""
        with snapshot(self._engine) as connection:
            return repository.list_artifacts_of(connection, artifact_type, limit)

    @readonly_method("semantic_search")
    def semantic_search(self, query: str, top_k: int) -> list[SemanticResult]:
        """Return the memories nearest in meaning to a text, nearest first.

        One among them that nobody signed as its author is left out.
        """
        believes = partial(is_believed, keys=self._keys)
        return semantic_search_with_content(
            self._engine, self._embedder, query, top_k, believes=believes
        )
