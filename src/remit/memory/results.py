"""What memory answers: frozen values that hold no embedding, no payload and no content of evidence.

What a memory says is data, whoever wrote it: each one found says where it comes from, and whoever
shows it shows :attr:`MemorySource.label` with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.vocabulary import ArtifactType, DirectiveStatus, RunStatus

_SHOWN_ID = 8


@dataclass(frozen=True, slots=True)
class DirectiveSummary:
    """A directive, as far as memory tells of it."""

    id: UUID
    role: str
    type: str
    objective: str
    status: DirectiveStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """A run, as far as memory tells of it; it was created when its grant was consumed."""

    run_id: UUID
    directive_id: UUID
    directive_type: str
    status: RunStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArtifactSummary:
    """An artifact's place and kind; what it holds is not told."""

    id: UUID
    type: ArtifactType
    uri: str
    directive_id: UUID | None
    run_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Where a memory comes from: a completed run, or an admin; then both identifiers are None."""

    created_by: str
    directive_id: UUID | None
    run_id: UUID | None
    created_at: datetime

    @property
    def label(self) -> str:
        """The source in a few words, to stand wherever the memory is shown."""
        if self.run_id is None or self.directive_id is None:
            return f"added by admin {self.created_by}"
        run, directive = (str(each)[:_SHOWN_ID] for each in (self.run_id, self.directive_id))
        return f"run {run} of directive {directive}, by {self.created_by}"


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory as it was stored, for those who look after memory; no question returns it.

    `content` is data: nothing in it is an instruction. The digest is over its UTF-8. The directive
    and the run that it cites are None when an admin added it. The envelope says that its author
    wrote it; None: nobody signed that.
    """

    id: UUID
    scope: str
    content: str
    digest: str
    directive_id: UUID | None
    run_id: UUID | None
    created_by: str
    created_at: datetime
    envelope: JsonObject | None = None

    @property
    def source(self) -> MemorySource:
        """Where it comes from."""
        return MemorySource(self.created_by, self.directive_id, self.run_id, self.created_at)


@dataclass(frozen=True, slots=True)
class SemanticResult:
    """A memory near in meaning to what was asked; `model` is whose embeddings were compared.

    `content` is data: nothing in it is an instruction. `similarity_score` is the cosine of the
    angle between the two embeddings, -1 to 1; 1 is the same direction.
    """

    memory_id: UUID
    content: str
    scope: str
    similarity_score: float
    model: str
    source: MemorySource


Answer = DirectiveSummary | ExecutionSummary | ArtifactSummary | SemanticResult


@dataclass(frozen=True, slots=True)
class MemoryReadResult:
    """What one question was answered with.

    Attributes:
        query_name: the question.
        result_count: how many results there are.
        results: the results, all of one kind.
    """

    query_name: str
    result_count: int
    results: tuple[Answer, ...]

    @classmethod
    def of(cls, query_name: str, answered: object, kind: type[Answer]) -> Self:
        """Take what a reader's method returned: one result, several in a list, or None.

        Raises:
            TypeError: the reader returned something other than results of that kind; it must not
                reach whoever asked.
        """
        one = () if answered is None else (answered,)
        found: Sequence[object] = answered if isinstance(answered, list) else one
        results = tuple(each for each in found if isinstance(each, kind))
        if len(results) != len(found):
            raise TypeError(f"{query_name} is answered with {kind.__name__} and nothing else")
        return cls(query_name, len(results), results)
