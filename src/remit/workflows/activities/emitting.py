"""What a module emits while it is called, held until the transaction that ends its attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from remit.artifacts.contents import place_json
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.artifacts.store import ObjectStore
from remit.artifacts.types import CONTENT_REF, MAX_ARTIFACT_BYTES
from remit.directives.models import DirectiveRead
from remit.directives.plain_json import find_fault
from remit.errors import (
    InvalidInputError,
)
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.execution.workers import WorkerIdentity
from remit.operations.runs.results import Ending
from remit.redaction.masking import redact_object
from remit.telemetry import tracing
from remit.vocabulary import ArtifactType

MODULE_ARTIFACT: ArtifactType = "module_output"
"""The one artifact type that a module may emit."""


@dataclass
class Evidence:
    """What a module emitted, held until the transaction that ends its run.

    An attempt that dies leaves none of it, and the next attempt emits it again: what is stored is
    the evidence of the attempt that counted.
    """

    directive: DirectiveRead
    run: ExecutionRunRead
    store: ObjectStore
    artifacts: list[NewArtifact] = field(default_factory=list)

    def emit(self, artifact_type: str, metadata: dict[str, JsonValue]) -> str:
        """Take one artifact and return the address that it will have.

        What is over 64 KB goes to the object store at once, before the row that will speak of it.

        Raises:
            InvalidInputError: modules may not emit this type, or the content cannot be kept.
            ObjectStoreException: the object store did not keep it.
        """
        if artifact_type != MODULE_ARTIFACT:
            raise InvalidInputError(
                f"a module emits {MODULE_ARTIFACT} artifacts, not {artifact_type!r}", field="type"
            )
        if CONTENT_REF in metadata:
            raise InvalidInputError("a name of Remit's own: use another", field=CONTENT_REF)
        fault = find_fault(metadata, max_weight=MAX_ARTIFACT_BYTES)
        if fault is not None:
            raise InvalidInputError(
                f"cannot be stored: {fault.problem}", field=fault.path or "metadata"
            )
        cleaned = redact_object(metadata)
        with tracing.span("artifact", artifact_type=MODULE_ARTIFACT) as span:
            placed = place_json(self.store, cleaned)
            span.set(store="postgres" if placed is None else self.store.name)
        made = new_artifact(
            MODULE_ARTIFACT,
            cleaned if placed is None else {},
            directive_id=self.directive.id,
            run_id=self.run.id,
            placed=placed,
        )
        self.artifacts.append(made)
        return made.uri

    def ending(
        self,
        output: ModuleOutput,
        worker: WorkerIdentity,
        emitted: Sequence[NewArtifact] | None = None,
    ) -> Ending:
        """Return how this attempt ended.

        Args:
            output: what the module returned.
            worker: who made the attempt.
            emitted: the artifacts that count; None: all that it emitted.
        """
        kept = self.artifacts if emitted is None else emitted
        return Ending(self.run, output, worker, kept, budgeted=self.directive.budget is not None)
