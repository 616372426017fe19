"""What a story of a directive keeps while it is told: its rows and its log; see `bundle_story`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from remit.approval.types import Grant
from remit.artifacts.types import Artifact, artifact_uri
from remit.audit.bundle.types import Asked, BudgetEntry, Bundle
from remit.audit.chain import Event
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.vocabulary import ArtifactType
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_parts import (
    AMOUNT,
    DIRECTIVE,
    directive,
)
from tests.unit.audit.chains import NOON, linked

Said = tuple[str, dict[str, Any]]


class Telling:
    """The rows and the log of one directive, as far as its story was told.

    Attributes:
        found: the directive as it is now; `scope` decides whether people are asked.
    """

    def __init__(self, **content: Any) -> None:
        self.found: DirectiveRead = directive(
            "proposed", **({"scope": "test", "budget": None} | content)
        )
        self._minutes, self._ids = 0, 1000
        self._events: list[Event] = []
        self._artifacts: list[Artifact] = []
        self._asked: list[Asked] = []
        self._grants: list[Grant] = []
        self._runs: list[ExecutionRunRead] = []
        self._budget: list[BudgetEntry] = []
        digest = self.found.action_digest
        self._tell(("directive.proposed", {"action_digest": digest}), actor="agent-1")

    @property
    def now(self) -> datetime:
        """The time of the step that is told next."""
        return NOON + timedelta(minutes=self._minutes)

    def rows(self, **changes: Any) -> Bundle:
        """Return what there is now; nobody has signed any of it."""
        given: dict[str, Any] = {
            "exported_at": self.now,
            "exported_by": "audrey",
            "directive": self.found,
            "requests": tuple(self._asked),
            "grants": tuple(self._grants),
            "runs": tuple(self._runs),
            "budget": tuple(self._budget),
            "artifacts": tuple(self._artifacts),
            "events": tuple(linked(self._events)),
            "installation": INSTALLATION,
        }
        return Bundle(**(given | changes))

    def _close(self, spent: Decimal) -> None:
        if self.found.budget is not None:
            self._enter("settle" if spent else "release", spent or AMOUNT)

    def _enter(
        self,
        kind: Any,
        amount: Decimal,
        ceiling: Decimal | None = None,
        account: str = "daily",
    ) -> None:
        about = self._grants[-1].id
        new = BudgetEntry(account, NOON, about, kind, amount, ceiling, self.now)
        self._budget.append(new)

    def _resolve(self, status: Any) -> None:
        asked = self._asked[-1]
        resolved_at = asked.request.resolved_at or self.now
        changed = replace(asked.request, status=status, resolved_at=resolved_at)
        self._asked[-1] = replace(asked, request=changed)

    def _run(self, **changes: Any) -> None:
        ended = {"ended_at": self.now}
        self._runs[-1] = self._runs[-1].model_copy(update=ended | changes)

    def _status(self, status: str, reason: str | None = None) -> None:
        moved = {"status": status, "status_reason": reason, "updated_at": self.now}
        self.found = self.found.model_copy(update=moved)

    def _id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def _artifact(self, kind: ArtifactType, metadata: Any, run: UUID | None = None) -> Artifact:
        content, key = canonical_json(metadata), self._id()
        made = Artifact(
            id=key,
            type=kind,
            uri=artifact_uri(key),
            directive_id=DIRECTIVE,
            run_id=run,
            metadata=metadata,
            digest=sha256_digest(content),
            size_bytes=len(content),
            created_at=self.now,
        )
        self._artifacts.append(made)
        return made

    def _tell(self, *said: Said, left: Sequence[Artifact] = (), actor: str = "remit") -> Self:
        """Append the events of a step; the last names what was left, and takes the actor."""
        for place, (kind, data) in enumerate(said):
            last = place == len(said) - 1
            said_of: JsonObject = {one.uri: one.digest for one in left}
            whole = {**data, "evidence": said_of} if last and left else data
            text = canonical_json(whole).decode()
            who = actor if last else "remit"
            self._events.append(Event(DIRECTIVE, 0, kind, who, self.now, text, "", ""))
        self._minutes += 1
        return self
