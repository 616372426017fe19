"""Modules, inputs and an evidence store for tests that call modules without a database."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput


class Recorder:
    """Stands in for the evidence store: keeps what is emitted."""

    def __init__(self) -> None:
        self.emitted: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, artifact_type: str, content: dict[str, Any]) -> str:
        """Keep an artifact and return its URI."""
        self.emitted.append((artifact_type, content))
        return f"memory:{len(self.emitted)}"


class Does(BaseExecutionModule):
    """Does what the test gives it.

    This line is no part of the summary.
    """

    name = "does"

    def __init__(self, act: Any = ModuleOutput.success) -> None:
        self.act = act

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Call what the test gave."""
        output: ModuleOutput = self.act()
        return output


class Plain:  # noqa: D101 - shows what a class without a docstring is listed as
    name = "plain"
    version = "2.1"
    kind = "long"
    default_timeout = timedelta(hours=1)

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Succeed."""
        return ModuleOutput.success()


def never() -> None:
    """Raise what is no Exception."""
    raise GeneratorExit


def asking(module: str, payload: dict[str, Any]) -> ModuleInput:
    """Return an input for a module."""
    return ModuleInput(
        directive_id=UUID(int=1),
        run_id=UUID(int=2),
        module=module,
        objective="Try.",
        scope="test",
        payload=payload,
        constraints=None,
        budget=None,
        timebox=None,
        idempotency_key="key",
        attempt=1,
    )
