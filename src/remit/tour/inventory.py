"""A module that leaves more evidence than a row holds: what software its worker consists of.

The tour gives it to its worker as `remit.tour.inventory:InventoryModule`.
"""

from importlib.metadata import distributions
from typing import TYPE_CHECKING

from pydantic import JsonValue

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput

if TYPE_CHECKING:
    from sqlalchemy import Engine

MAX_FILES = 200  # of one package that are listed; each takes about a hundred bytes


class InventoryModule(BaseExecutionModule):
    """Lists every installed package with its first files and their digests, as evidence."""

    name = "inventory"

    def execute(
        self,
        module_input: ModuleInput,  # noqa: ARG002 - part of the interface
        engine: "Engine",  # noqa: ARG002 - part of the interface
        emit_artifact: EmitArtifact,
    ) -> ModuleOutput:
        """Emit the whole list, and return how long it is."""
        packages: list[JsonValue] = []
        files = 0
        for found in sorted(distributions(), key=lambda each: each.name.lower()):
            # Each file that the package says it has, with the digest that it gives.
            listed: list[JsonValue] = [
                f"{each.hash.mode}:{each.hash.value} {each}"
                for each in found.files or ()
                if each.hash
            ]
            files += len(listed)
            packages.append(
                {
                    "name": found.name,
                    "version": found.version,
                    "file_count": len(listed),
                    "files": listed[:MAX_FILES],
                }
            )
        emit_artifact("module_output", {"module": self.name, "packages": packages})
        return ModuleOutput.success({"packages": len(packages), "files": files})
