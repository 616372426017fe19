"""The README's own module runs, and its links lead somewhere."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from remit.execution.modules.registry import ModuleRegistry
from remit.execution.modules.types import ModuleInput, ModuleOutput
from tests.architecture.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def asked(**payload: Any) -> ModuleInput:
    return ModuleInput(
        directive_id=uuid4(),
        run_id=uuid4(),
        module="greet",
        objective="Greet.",
        scope="test",
        payload=payload,
        constraints=None,
        budget=None,
        timebox=timedelta(seconds=1),
        idempotency_key="key",
        attempt=1,
    )


def test_the_readmes_module_registers_and_does_what_it_says() -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "greet"}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - it is the thing under test
    registry = ModuleRegistry()
    registry.register_module(names["GreetModule"]())
    [info] = registry.list_modules()
    assert (info.name, info.summary) == ("greet", "Greets whoever the payload names.")

    emitted: list[tuple[str, dict[str, Any]]] = []

    def emit(kind: str, content: dict[str, Any]) -> str:
        emitted.append((kind, content))
        return "artifact://local/x"

    no_engine: Any = None
    output = registry.dispatch_module(asked(name="Ada"), no_engine, emit)
    assert output == ModuleOutput.success({"greeting": "Hello, Ada."})
    assert emitted == [("module_output", {"greeting": "Hello, Ada."})]


def test_every_link_of_the_readme_leads_to_a_file_of_the_repository() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
