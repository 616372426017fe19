"""The module that gives its payload back, for trying what travels through the loop."""

from typing import TYPE_CHECKING

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput

if TYPE_CHECKING:
    from sqlalchemy import Engine


class EchoModule(BaseExecutionModule):
    """Gives the payload back, as its result and as an artifact."""

    name = "echo"

    def execute(
        self,
        module_input: ModuleInput,
        engine: "Engine",  # noqa: ARG002 - part of the interface
        emit_artifact: EmitArtifact,
    ) -> ModuleOutput:
        """Return the payload under the key `echo`."""
        payload = dict(module_input.payload)
        emit_artifact("module_output", {"module": self.name, "echo": payload})
        return ModuleOutput.success({"echo": payload})
