"""The only way in which thinking code may consult memory: four questions, frozen answers.

Three locks stand behind :class:`PostgresMemoryReader`: no method of it writes, every read runs in a
transaction that Postgres holds to reading, and its engine acts as `remit_reader`, which has no
right to write and sees no payload, no evidence, no event and no principal.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Protocol, runtime_checkable

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
from remit.memory.vector import semantic_search_with_content
from remit.memory.writing import is_believed
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType, RunStatus


@runtime_checkable
class MemoryReader(Protocol):
    """Answers four questions about what was, and records who asked, in a principal's name.

    Every method raises `InvalidInputError`, which names the parameter and its bound, for what
    `remit.memory.queries` refuses; and what the recorder raises, when the read cannot be recorded.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above, as both are

    @property
    def principal(self) -> str: ...  # noqa: D102

    def latest_directive_for_role(self, role: str) -> DirectiveSummary | None:
        """Return the newest directive that addresses a role, or None when there is none."""
        ...

    def execution_summaries(
        self, limit: int, status_filter: RunStatus | None = None
    ) -> list[ExecutionSummary]:
        """Return runs, newest first: all of them, or those that stand so."""
        ...

    def artifacts_by_type(self, artifact_type: ArtifactType, limit: int) -> list[ArtifactSummary]:
        """Return the artifacts of one type, newest first."""
        ...

    def semantic_search(self, query: str, top_k: int) -> list[SemanticResult]:
        """Return the memories nearest in meaning to a text, nearest first, or ProviderError."""
        ...


class NoOpMemoryReader:
    """Answers every question with nothing, within the same bounds as a real reader."""

    __slots__ = ("_principal", "_record")
    name: ClassVar[str] = "noop"

    def __init__(
        self,
        principal: str = "",
        *,
        record: Callable[[MemoryAccessAttempt], None] = lambda _attempt: None,
    ) -> None:
        self._principal = principal
        self._record = record

    @property
    def principal(self) -> str:
        """In whose name it reads."""
        return self._principal

    @readonly_method("latest_directive_for_role")
    def latest_directive_for_role(self, role: str) -> DirectiveSummary | None:  # noqa: ARG002
        """Return None."""
        return None

    @readonly_method("execution_summaries")
    def execution_summaries(
        self,
        limit: int,  # noqa: ARG002 - it is checked by the mark, as all parameters here are
        status_filter: RunStatus | None = None,  # noqa: ARG002
    ) -> list[ExecutionSummary]:
        """Return no run."""
        return []

    @readonly_method("artifacts_by_type")
    def artifacts_by_type(
        self,
        artifact_type: ArtifactType,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> list[ArtifactSummary]:
        """Return no artifact."""
        return []

    @readonly_method("semantic_search")
    def semantic_search(self, query: str, top_k: int) -> list[SemanticResult]:  # noqa: ARG002
        """Return no memory."""
        return []


class PostgresMemoryReader:
    """Answers from Postgres; the engine has the role `remit_reader`.

    Only the embedder's model is searched. A memory that `keys` do not verify is not answered, nor
    is a read that `record` raises for.
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
        return semantic_search_with_content(
            self._engine,
            self._embedder,
            query,
            top_k,
            believes=partial(is_believed, keys=self._keys),
        )
