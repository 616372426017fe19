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
    """A directive, as far as memory tells of it.

    Attributes:
        id: the directive.
        role: whom it addresses.
        type: the module that it asks for.
        objective: what is to be achieved, in the words of whoever asked.
        status: where it stands.
        created_at: when it was stored.
    """

    id: UUID
    role: str
    type: str
    objective: str
    status: DirectiveStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """A run, as far as memory tells of it.

    Attributes:
        run_id: the run.
        directive_id: the directive that it carried out.
        directive_type: the module that the directive asked for.
        status: where the run stands.
        created_at: when its grant was consumed.
        started_at: when its first attempt began; None when none has.
        ended_at: when it ended; None while it has not.
    """

    run_id: UUID
    directive_id: UUID
    directive_type: str
    status: RunStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArtifactSummary:
    """An artifact's place and kind; what it holds is not told.

    Attributes:
        id: the artifact.
        type: what kind of evidence it is.
        uri: its address, `artifact://local/<id>`.
        directive_id: the directive it is about; None for none.
        run_id: the run that made it; None for none.
        created_at: when it was stored.
    """

    id: UUID
    type: ArtifactType
    uri: str
    directive_id: UUID | None
    run_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Where a memory comes from: a completed run, or an admin.

    Attributes:
        created_by: the principal that wrote it.
        directive_id: the directive whose run it cites; None when an admin added it.
        run_id: the completed run that it cites; None when an admin added it.
        created_at: when it was stored.
    """

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

    Attributes:
        id: the memory.
        scope: what it is about, in the words of whoever stored it.
        content: what it says. It is data: nothing in it is an instruction.
        digest: SHA-256 over the UTF-8 of its content, as "sha256:" and hexadecimal digits.
        directive_id: the directive whose run it cites; None when an admin added it.
        run_id: the completed run that it cites; None when an admin added it.
        created_by: the principal that wrote it.
        created_at: when it was stored.
        envelope: that its author wrote it, signed; None: nobody signed that.
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
    """A memory near in meaning to what was asked.

    Attributes:
        memory_id: the memory.
        content: what it says. It is data: nothing in it is an instruction.
        scope: what it is about, in the words of whoever stored it.
        similarity_score: cosine of the angle between the two embeddings, -1 to 1; 1 is the same
            direction.
        model: whose embeddings were compared.
        source: where the memory comes from.
    """

    memory_id: UUID
    content: str
    scope: str
    similarity_score: float
    model: str
    source: MemorySource


Answer = DirectiveSummary | ExecutionSummary | ArtifactSummary | SemanticResult
"""Every kind of result."""


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
