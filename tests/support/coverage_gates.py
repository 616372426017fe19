"""Holds the coverage gates inside pytest, so that its summary stays the last line.

A run with `--cov` (`make test`) fails when a gate is missed, and the summary counts each missed
gate as an error. Without `--cov` the plugin does nothing.

Python 3.11 takes almost twice as long for whatever runs while coverage is traced. A test marked
`untraced` attacks or repeats what other tests have run, so it counts for no gate and is not traced.
"""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from io import StringIO
from types import ModuleType

import pytest
from coverage import Coverage
from coverage.exceptions import NoDataError

PURE = (
    "src/remit/approval/rules.py",
    "src/remit/approval/statements.py",
    "src/remit/audit/bundle/*",
    "src/remit/audit/chain.py",
    "src/remit/audit/checkpoint.py",
    "src/remit/audit/event_rules.py",
    "src/remit/audit/run_ends.py",
    "src/remit/audit/verification.py",
    "src/remit/base/*",
    "src/remit/budget/types.py",
    "src/remit/directives/digest.py",
    "src/remit/directives/lifecycle.py",
    "src/remit/execution/grants.py",
    "src/remit/execution/lifecycle.py",
    "src/remit/identity/names.py",
    "src/remit/identity/rules.py",
    "src/remit/identity/statements.py",
    "src/remit/identity/tokens.py",
    "src/remit/policy/*",
    "src/remit/redaction/*",
    "src/remit/confusables/*",
    "src/remit/signing/*",
    "src/remit/vocabulary.py",
)


_HANDED_ON = "COVERAGE_PROCESS_"
"""How the variables begin that let a new process measure its coverage."""


@dataclass(frozen=True)
class Gate:
    """A share of lines and branches that the tests must run.

    Attributes:
        name: what the gate is about, as the report names it.
        include: file patterns, relative to the repository.
        percent: the least share that passes, of lines and branches together.
    """

    name: str
    include: tuple[str, ...]
    percent: float


@dataclass(frozen=True)
class Measured:
    """A gate with what was measured for it.

    Attributes:
        gate: the gate.
        percent: the measured share; 0 when nothing of it was imported.
        report: which lines and branches were not run, as coverage.py words it.
    """

    gate: Gate
    percent: float
    report: str

    @property
    def missed(self) -> bool:
        """Whether the gate fails."""
        return self.percent < self.gate.percent

    def __str__(self) -> str:
        """Return `pure rules: 99.50 %, at least 100 % needed`."""
        return f"{self.gate.name}: {self.percent:.2f} %, at least {self.gate.percent:g} % needed"


GATES = (
    Gate("pure rules", PURE, 100),
    Gate("whole package", ("src/remit/*",), 95),
)


def measure(coverage: Coverage, gates: Sequence[Gate]) -> list[Measured]:
    """Compare what was run with each gate."""
    found = []
    for gate in gates:
        report = StringIO()
        try:
            percent = coverage.report(include=list(gate.include), file=report)
        except NoDataError:
            percent = 0.0
        found.append(Measured(gate, percent, report.getvalue()))
    return found


class CoverageGates:
    """The hooks: measure when the tests have run, report just before the summary."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._gates = gates
        self._measured: list[Measured] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Count each missed gate as a failure, after pytest-cov has combined its data."""
        result = yield
        coverage = _coverage_of(session.config)
        if coverage is not None and not session.config.option.collectonly:
            self._measured = measure(coverage, self._gates)
            session.testsfailed += sum(measured.missed for measured in self._measured)
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was measured, and enter each missed gate among the errors."""
        if not self._measured:
            return
        terminalreporter.section("coverage gates")
        for measured in self._measured:
            terminalreporter.line(str(measured), red=measured.missed, green=not measured.missed)
            if measured.missed:
                terminalreporter.line(measured.report)
                error = pytest.CollectReport("coverage", "failed", str(measured), None)
                terminalreporter.stats.setdefault("error", []).append(error)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Trace nothing of the collection but the modules of `remit` that it imports."""
    tracer = sys.gettrace()
    if tracer is None:
        return (yield)
    execute = SourceFileLoader.exec_module

    def execute_traced(loader: SourceFileLoader, module: ModuleType) -> None:
        measured = module.__name__.partition(".")[0] == "remit"
        outer = sys.gettrace()
        sys.settrace(tracer if measured else None)
        try:
            execute(loader, module)
        finally:
            sys.settrace(outer)

    SourceFileLoader.exec_module = execute_traced  # type: ignore[assignment, method-assign]
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        SourceFileLoader.exec_module = execute  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace neither a test that is marked `untraced` nor the processes that it starts."""
    tracer = sys.gettrace()
    if tracer is None or item.get_closest_marker("untraced") is None:
        return (yield)
    handed_on = {name: value for name, value in os.environ.items() if name.startswith(_HANDED_ON)}
    for name in handed_on:
        del os.environ[name]
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        os.environ.update(handed_on)


def _coverage_of(config: pytest.Config) -> Coverage | None:
    if hasattr(config, "workerinput"):
        return None  # One of several processes: what it measured is only a part.
    plugin = config.pluginmanager.get_plugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    found = getattr(controller, "cov", None)
    return found if isinstance(found, Coverage) else None


def pytest_configure(config: pytest.Config) -> None:
    """Hold the gates in this run."""
    config.pluginmanager.register(CoverageGates(GATES), "coverage-gates")
