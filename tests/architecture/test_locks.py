"""The locks: pinned, hashed, with every extra that is asked for, and bound to no index."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

SETUP, RUNTIME, DEV = LOCKS = tuple(
    f"requirements/{name}.txt" for name in ("setup", "runtime", "dev")
)


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _pins(name: str) -> set[str]:
    """Return `name[extra]==version` of each pin."""
    return set(re.findall(r"^(\S+==\S+)", _read(name), re.MULTILINE))


def _pinned_extras(name: str) -> set[tuple[str, str]]:
    """Return each distribution of a lock with each extra that it is pinned with, and with ""."""
    pins = [Requirement(pin) for pin in _pins(name)]
    return {(canonicalize_name(pin.name), extra) for pin in pins for extra in ("", *pin.extras)}


def _asked_by_the_project(name: str) -> list[str]:
    declared = tomllib.loads(_read("pyproject.toml"))
    groups, project = declared["dependency-groups"], declared["project"]
    asked = [groups["setup"]] if name == SETUP else [project["dependencies"]]
    if name == DEV:
        asked += [groups["dev"], *project["optional-dependencies"].values()]
    return [each for several in asked for each in several]


def _closure(asked: list[str]) -> set[tuple[str, str]]:
    """Return what is asked for on this machine, by metadata of what is installed: (name, extra)."""
    waiting = [Requirement(each) for each in asked]
    found: set[tuple[str, str]] = set()
    while waiting:
        each = waiting.pop()
        for extra in ("", *each.extras):
            key = (canonicalize_name(each.name), extra)
            if key not in found:
                found.add(key)
                waiting += _asked_by(*key)
    return found


def _asked_by(name: str, extra: str) -> Iterator[Requirement]:
    environment: Mapping[str, str] = {"extra": extra}
    for each in map(Requirement, requires(name) or ()):
        if each.marker is None or each.marker.evaluate(dict(environment)):
            yield each


@pytest.mark.parametrize("name", LOCKS)
def test_each_extra_that_is_asked_for_is_pinned_with_its_distribution(name: str) -> None:
    closure = _closure(_asked_by_the_project(name))
    assert len(closure) >= len(_asked_by_the_project(name))
    assert closure - _pinned_extras(name) == set()


def test_a_pin_without_the_extra_that_is_asked_for_is_found() -> None:
    assert ("coverage", "toml") in _closure(["pytest-cov"])
    assert ("coverage", "toml") in _pinned_extras(DEV)


@pytest.mark.parametrize("name", LOCKS)
def test_the_pinned_requirements_name_no_index_host(name: str) -> None:
    assert not re.search(r"https?://|index-url|find-links", _read(name))


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    entries = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", _read(name), flags=re.MULTILINE))
    lines = [line for line in entries.splitlines() if line.strip()]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_what_installs_remit_is_pinned_as_in_the_lock_of_the_tests() -> None:
    setup, dev = ({Requirement(pin).name: pin for pin in _pins(name)} for name in (SETUP, DEV))
    shared = setup.keys() & dev.keys()
    assert shared
    assert {setup[name] for name in shared} - _pins(DEV) == set()


def test_all_that_runs_is_in_the_lock_of_the_tests() -> None:
    assert _pins(RUNTIME) - _pins(DEV) == set()
