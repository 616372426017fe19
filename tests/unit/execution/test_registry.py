"""How modules are found, and which are refused."""

import subprocess
import sys
from dataclasses import fields, replace
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from remit.errors import ConflictError, InvalidInputError, MisconfiguredError, NotFoundError
from remit.execution.modules.registry import ModuleInfo, ModuleRegistry, discover_modules
from tests.support.modules import Does, Plain

KNOWN = "there are: echo, fail_intentionally and noop"
HERE = "tests.support.modules"


def test_the_built_in_modules_are_listed_by_name() -> None:
    assert discover_modules(installed=()).list_modules() == [
        ModuleInfo(
            "echo",
            "1",
            "short",
            "Gives the payload back, as its result and as an artifact.",
            "built-in",
            30.0,
        ),
        ModuleInfo(
            "fail_intentionally",
            "1",
            "short",
            'Fails on purpose: payload {"mode": "failure" or "raise", "message": text}.',
            "built-in",
            30.0,
        ),
        ModuleInfo("noop", "1", "short", "Does nothing and succeeds.", "built-in", 30.0),
    ]


def test_a_module_needs_no_base_class() -> None:
    registry = ModuleRegistry()
    module: Any = Plain()
    registry.register_module(module)
    assert registry.get_module("plain") is module
    assert registry.list_modules() == [ModuleInfo("plain", "2.1", "long", "", "registered", 3600.0)]
    assert registry.describe_module("plain") == registry.list_modules()[0]


def test_there_is_no_description_of_a_module_that_is_not_there() -> None:
    assert ModuleRegistry().describe_module("plain") is None


PLAIN = ModuleInfo("plain", "2.1", "long", "What it does.", "registered", 3600.0)
CHANGED: dict[str, Any] = {
    "name": "other",
    "version": "2.2",
    "kind": "short",
    "summary": "What else it does.",
    "source": "elsewhere:Plain",
    "timeout_seconds": 3600.5,
}


def test_every_field_of_a_description_is_tried() -> None:
    assert CHANGED.keys() == {one.name for one in fields(ModuleInfo)}


@pytest.mark.parametrize("changed", sorted(CHANGED.keys() - {"source", "summary"}))
def test_a_module_that_is_called_in_another_way_has_another_digest(changed: str) -> None:
    other = replace(PLAIN, **{changed: CHANGED[changed]})
    assert other.digest != PLAIN.digest


@pytest.mark.parametrize("told", ["source", "summary"])
def test_what_is_only_told_of_a_module_is_not_in_its_digest(told: str) -> None:
    assert replace(PLAIN, **{told: CHANGED[told]}).digest == PLAIN.digest
    assert PLAIN.digest.startswith("sha256:")


@pytest.mark.parametrize("optimized", ["-O", "-OO"])
def test_every_worker_gives_a_module_the_same_digest_however_python_is_optimized(
    optimized: str,
) -> None:
    program = (
        "import remit.execution.modules.registry as r;"
        "print(*(one.digest for one in r.discover_modules(installed=()).list_modules()))"
    )
    command = [sys.executable, optimized, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    here = discover_modules(installed=()).list_modules()
    assert done.stdout.split() == [one.digest for one in here]


def test_only_the_first_line_of_the_docstring_is_the_summary() -> None:
    registry = ModuleRegistry()
    registry.register_module(Does())
    assert registry.list_modules()[0].summary == "Does what the test gives it."


def test_an_unknown_module_is_named_with_those_that_there_are() -> None:
    with pytest.raises(NotFoundError) as caught:
        discover_modules(installed=()).get_module("ech\no")
    assert str(caught.value) == f'no module is named "ech\\no"; {KNOWN}'
    with pytest.raises(NotFoundError) as caught:
        ModuleRegistry().get_module("echo")
    assert str(caught.value) == 'no module is named "echo"; there are: none'


def test_a_name_is_taken_only_once() -> None:
    registry = ModuleRegistry()
    registry.register_module(Does(), source="first")
    with pytest.raises(ConflictError) as caught:
        registry.register_module(Does(), source="second")
    assert caught.value.message == 'two modules are named "does": second and first; rename one'


BAD_NAME = (
    "name: a module's name is a lower-case letter, then lower-case letters, digits, _, . or -, at "
    "most 100 in all"
)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": ""}, BAD_NAME),
        ({"name": "Echo"}, BAD_NAME),
        ({"name": "a b"}, BAD_NAME),
        ({"name": "1a"}, BAD_NAME),
        ({"name": "a\n"}, BAD_NAME),
        ({"name": "\u0435cho"}, BAD_NAME),
        ({"name": "a" * 101}, BAD_NAME),
        ({"name": 5}, BAD_NAME),
        ({"version": ""}, 'version: must be text, like "1"'),
        ({"version": 1}, 'version: must be text, like "1"'),
        ({"kind": "medium"}, 'kind: must be "short" or "long"'),
        ({"default_timeout": timedelta(0)}, "default_timeout: must be a timedelta above zero"),
        ({"default_timeout": 30}, "default_timeout: must be a timedelta above zero"),
    ],
    ids=str,
)
def test_a_module_with_an_unusable_part_is_refused(
    attributes: dict[str, Any], message: str
) -> None:
    module = type("Bad", (Does,), attributes)()
    with pytest.raises(InvalidInputError) as caught:
        ModuleRegistry().register_module(module)
    assert str(caught.value) == message


def test_what_lacks_a_part_is_no_module() -> None:
    thing: Any = object()
    with pytest.raises(InvalidInputError) as caught:
        ModuleRegistry().register_module(thing)
    assert caught.value.message == (
        "not a module: it needs name, version, kind, default_timeout and execute"
    )


def announced(value: str, name: str = "third-party") -> EntryPoint:
    """Return an entry point as an installed package would announce it."""
    return EntryPoint(name, value, "remit.modules")


def test_installed_and_named_modules_join_the_built_in_ones() -> None:
    registry = discover_modules([f"{HERE}:Plain"], installed=[announced(f"{HERE}:Does")])
    sources = {info.name: info.source for info in registry.list_modules()}
    assert sources == {
        "does": f"entry point third-party = {HERE}:Does",
        "echo": "built-in",
        "fail_intentionally": "built-in",
        "noop": "built-in",
        "plain": f"{HERE}:Plain",
    }


def test_modules_of_installed_packages_are_looked_up_when_none_are_given() -> None:
    assert {"echo", "noop"} <= {info.name for info in discover_modules().list_modules()}


MEND = "; mend it, or remove it from the worker"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nowhere_at_all:Class", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("json:Nothing", "AttributeError: module 'json' has no attribute 'Nothing'"),
        ("json:dumps", "TypeError: dumps() missing 1 required positional argument: 'obj'"),
        (
            "builtins:object",
            ("not a module: it needs name, version, kind, default_timeout and execute"),
        ),
        ("sys:exit", "SystemExit"),
        (f"{HERE}:never", "GeneratorExit"),
        (
            "remit.execution.modules.built_in:EchoModule",
            (
                'name: two modules are named "echo": remit.execution.modules.built_in:EchoModule '
                "and built-in; rename one"
            ),
        ),
    ],
)
def test_a_module_that_cannot_be_loaded_is_named(reference: str, message: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        discover_modules([reference], installed=())
    assert caught.value.message.startswith(f"module {reference} cannot be loaded: {message}")
    assert caught.value.message.endswith(MEND)
    with pytest.raises(MisconfiguredError, match=r"^module entry point third-party = "):
        discover_modules(installed=[announced(reference)])


@pytest.mark.parametrize("reference", ["", "echo", "a:b:c", "a b:c", ":c", "a:", "a\n:c"])
def test_a_reference_of_another_form_is_refused(reference: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        discover_modules([reference], installed=())
    assert caught.value.message.endswith(" is not usable: write it as package.module:Class")
    assert caught.value.message.isprintable()


def test_modules_load_without_any_library_for_databases_or_workflows() -> None:
    program = (
        "import sys, remit.execution.modules.registry as r; r.discover_modules();"
        "print([n for n in ('sqlalchemy', 'psycopg', 'temporalio') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
