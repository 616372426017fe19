"""Modules that a test holds in its hand, and one whose effects can be counted.

The built-in policy allows the types `test` and `validate`, which no built-in module has.
"""

import threading
import time
from datetime import timedelta
from typing import Any, ClassVar

import sqlalchemy as sa

from remit.errors import UnavailableError
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.vocabulary import ModuleKind


class Held(BaseExecutionModule):
    """A long module that works until the test lets it go."""

    name = "test"
    kind: ClassVar[ModuleKind] = "long"

    def __init__(self) -> None:
        self.called = threading.Event()
        self.released = threading.Event()
        self.attempts: list[int] = []

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Wait to be released, then succeed."""
        self.attempts.append(module_input.attempt)
        self.called.set()
        self.released.wait(30)
        emit_artifact("module_output", {"attempt": module_input.attempt})
        return ModuleOutput.success({"attempt": module_input.attempt})


class Unsteady(BaseExecutionModule):
    """A short module that fails a number of times, and says that trying again may help."""

    name = "validate"

    def __init__(self, failures: int, *, raises: bool = False) -> None:
        self.failures = failures
        self.raises = raises
        self.keys: list[str] = []

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Fail, or at last succeed."""
        self.keys.append(module_input.idempotency_key)
        emit_artifact("module_output", {"attempt": module_input.attempt})
        if len(self.keys) > self.failures:
            return ModuleOutput.success()
        if self.raises:
            message = "the service is away"
            raise UnavailableError(message)
        return ModuleOutput.failure("the service is away", retryable=True)


class LongUnsteady(Unsteady):
    """The same as a long module."""

    kind: ClassVar[ModuleKind] = "long"


class Sluggish(BaseExecutionModule):
    """A module that takes its time: payload {"seconds": number}."""

    name = "validate"

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Sleep, then succeed."""
        seconds = module_input.payload["seconds"]
        assert isinstance(seconds, int | float)
        time.sleep(seconds)
        return ModuleOutput.success()


class LongSluggish(Sluggish):
    """The same as a long module."""

    kind: ClassVar[ModuleKind] = "long"


class Effects(BaseExecutionModule):
    """Writes one row an effect; the first attempt then works until its process is killed.

    An effect is written once under its idempotency key, however often it is attempted.
    """

    name = "test"
    kind: ClassVar[ModuleKind] = "long"
    default_timeout: ClassVar[timedelta] = timedelta(minutes=1)

    def execute(
        self, module_input: ModuleInput, engine: sa.Engine, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Record the attempt and the effect."""
        with engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO attempts VALUES (:attempt)"), {"attempt": module_input.attempt}
            )
            connection.execute(
                sa.text("INSERT INTO effects VALUES (:key) ON CONFLICT DO NOTHING"),
                {"key": module_input.idempotency_key},
            )
        if module_input.attempt == 1:
            time.sleep(50)
        return ModuleOutput.success()


EFFECT_TABLES = (
    "CREATE TABLE attempts (attempt integer)",
    "CREATE TABLE effects (key text PRIMARY KEY)",
)
"""What :class:`Effects` writes to."""


class Paced(BaseExecutionModule):
    """Writes that it was called, works for a while, and has its effect once under its key.

    Payload: {"seconds": number}.
    """

    name = "validate"

    def execute(
        self, module_input: ModuleInput, engine: sa.Engine, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Record the call and, at last, the effect."""
        seconds = module_input.payload["seconds"]
        assert isinstance(seconds, int | float)
        key = {"key": module_input.idempotency_key}
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO module_data.calls VALUES (:key)"), key)
        time.sleep(seconds)
        effect = "INSERT INTO module_data.effects VALUES (:key) ON CONFLICT DO NOTHING"
        with engine.begin() as connection:
            connection.execute(sa.text(effect), key)
        return ModuleOutput.success()


class LongPaced(Paced):
    """The same as a long module."""

    name = "test"
    kind: ClassVar[ModuleKind] = "long"


PACED_TABLES = (
    "CREATE TABLE module_data.calls (key text)",
    "CREATE TABLE module_data.effects (key text PRIMARY KEY)",
)
"""What :class:`Paced` writes to."""
