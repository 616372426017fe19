"""What a module is: the Protocol that Remit calls, and a base class with the usual answers.

A module acts through `emit_artifact` and the engine that it is handed, and through nothing else of
Remit. Modules load without SQLAlchemy: only one that uses its engine needs it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from pydantic import JsonValue

from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.vocabulary import ModuleKind

if TYPE_CHECKING:
    from sqlalchemy import Engine

EmitArtifact = Callable[[str, dict[str, JsonValue]], str]
"""Stores evidence: takes its type and its content, returns its URI."""


@runtime_checkable
class ExecutionModule(Protocol):
    """Anything that can execute directives of one type.

    `execute` must be idempotent: called again with the same `idempotency_key`, it has no second
    effect and gives the same outcome.

    Attributes:
        name: the directive `type` that it executes.
        version: its author's version; part of what is approved.
        kind: how it is run; see :data:`remit.vocabulary.ModuleKind`.
        default_timeout: longest time that it may take when the directive has no timebox.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above, as all four are

    @property
    def version(self) -> str: ...  # noqa: D102

    @property
    def kind(self) -> ModuleKind: ...  # noqa: D102

    @property
    def default_timeout(self) -> timedelta: ...  # noqa: D102

    def execute(
        self, module_input: ModuleInput, engine: "Engine", emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Do what `module_input` asks and say how it ended.

        Args:
            module_input: what is asked, within which limits, under which idempotency key.
            engine: a database connection with a module's rights: nothing of governance.
            emit_artifact: stores evidence of what was done.
        """
        ...


class BaseExecutionModule(ABC):
    """A module with the usual answers. Subclasses give `name` and `execute`.

    The first line of a subclass' docstring is its summary in `remit modules`.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    kind: ClassVar[ModuleKind] = "short"
    default_timeout: ClassVar[timedelta] = timedelta(seconds=30)

    @abstractmethod
    def execute(
        self, module_input: ModuleInput, engine: "Engine", emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Do what `module_input` asks and say how it ended; see :class:`ExecutionModule`."""

    @staticmethod
    def within_budget(module_input: ModuleInput, cost: Decimal) -> bool:
        """Return whether spending `cost` US dollars in all keeps to the directive's budget.

        A directive with no budget may spend nothing: the gate never saw an amount, so no ceiling
        and no rule about amounts was applied to it.
        """
        return cost.is_finite() and 0 <= cost <= (module_input.budget or 0)
