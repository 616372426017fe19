"""The only way in which thinking code may consult memory.

Agents are handed a :class:`MemoryReader`: four questions, frozen answers, no engine, no SQL, no
vector. `remit.memory.enforcement.verify_readonly_interface` holds every implementation to it.
"""

from typing import Protocol, runtime_checkable

from remit.memory.results import (
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    SemanticResult,
)
from remit.vocabulary import ArtifactType, RunStatus


@runtime_checkable
class MemoryReader(Protocol):
    """Answers four questions about what was, and records who asked.

    Every method raises `InvalidInputError`, which names the parameter and its bound, for what
    `remit.memory.queries` refuses; and what the recorder raises, when the read cannot be recorded.

    Attributes:
        name: which reader this is, as the record of reads has it.
        principal: in whose name it reads.
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
