"""The modules that come with Remit, for trying the loop and for measuring it."""

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


class IntentionalError(Exception):
    """Raised by `fail_intentionally` when its payload asks for it."""


class FailModule(BaseExecutionModule):
    """Fails on purpose: payload {"mode": "failure" or "raise", "message": text}."""

    name = "fail_intentionally"

    def execute(
        self,
        module_input: ModuleInput,
        engine: "Engine",  # noqa: ARG002 - part of the interface
        emit_artifact: EmitArtifact,  # noqa: ARG002 - fails before there is anything to show
    ) -> ModuleOutput:
        """Return FAILURE, or raise, as the payload says; without a mode, return FAILURE.

        Raises:
            IntentionalError: the payload's mode is "raise".
        """
        mode = module_input.payload.get("mode", "failure")
        message = module_input.payload.get("message", "failed on purpose")
        if not isinstance(message, str):
            return ModuleOutput.error_("payload.message: must be text", error_type="invalid_input")
        if mode == "raise":
            raise IntentionalError(message)
        if mode == "failure":
            return ModuleOutput.failure(message)
        return ModuleOutput.error_(
            'payload.mode: must be "failure" or "raise"', error_type="invalid_input"
        )
