"""The module that does nothing, for trying the loop and for measuring it."""

from typing import TYPE_CHECKING

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput

if TYPE_CHECKING:
    from sqlalchemy import Engine


class NoopModule(BaseExecutionModule):
    """Does nothing and succeeds."""

    name = "noop"

    def execute(
        self,
        module_input: ModuleInput,
        engine: "Engine",  # noqa: ARG002 - part of the interface
        emit_artifact: EmitArtifact,
    ) -> ModuleOutput:
        """Leave the artifact that proves the call, and succeed with no result."""
        emit_artifact("module_output", {"module": self.name, "scope": module_input.scope})
        return ModuleOutput.success()
