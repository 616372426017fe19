"""The only way in which thinking code may consult memory: four questions, frozen answers.

Agents are handed a :class:`MemoryReader`: no engine, no SQL, no vector.
`remit.memory.enforcement.verify_readonly_interface` holds every implementation to it.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from remit.memory.enforcement import MemoryAccessAttempt, readonly_method
from remit.memory.results import (
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    SemanticResult,
)
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
        """Return the memories nearest in meaning to a text, nearest first.

        Raises:
            ProviderError: the text could not be embedded.
        """
        ...


def _forget(attempt: MemoryAccessAttempt) -> None:
    """Take an attempt and keep nothing of it."""


class NoOpMemoryReader:
    """Answers every question with nothing, within the same bounds as a real reader."""

    __slots__ = ("_principal", "_record")
    name: ClassVar[str] = "noop"

    def __init__(
        self, principal: str = "", *, record: Callable[[MemoryAccessAttempt], None] = _forget
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
