"""Which modules there are, where they come from, and how one is called safely.

A worker discovers its modules once, when it starts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, get_args

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.wording import import_hint, listed, one_line, quoted
from remit.directives.plain_json import JsonFault, find_fault
from remit.errors import (
    ConflictError,
    InvalidInputError,
    MisconfiguredError,
    NotFoundError,
    RemitError,
)
from remit.execution.modules.base import EmitArtifact, ExecutionModule
from remit.execution.modules.built_in import EchoModule, FailModule, NoopModule
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.redaction.masking import redact_object, redact_text
from remit.telemetry.logging import get_logger
from remit.vocabulary import ModuleKind

if TYPE_CHECKING:
    from sqlalchemy import Engine

ENTRY_POINT_GROUP = "remit.modules"
"""Where installed packages announce their modules."""

BUILT_IN = (NoopModule, EchoModule, FailModule)
"""The modules that come with Remit."""

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,99}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class ModuleInfo:
    """What there is to know of a module without calling it.

    Attributes:
        name: the directive `type` that it executes.
        summary: first line of its class' docstring; empty when it has none, as under `python -OO`.
        source: where it comes from: "built-in", the entry point, or "package.module:Class".
        timeout_seconds: its default timeout.
    """

    name: str
    version: str
    kind: ModuleKind
    summary: str
    source: str
    timeout_seconds: float

    @cached_property
    def digest(self) -> str:
        """Digest of what decides how it is called: a grant binds to it.

        Not of the summary: under `python -OO` the same module has none.
        """
        bound = asdict(self)
        del bound["source"], bound["summary"]
        return sha256_digest(canonical_json(bound))


class ModuleRegistry:
    """The modules that one worker can call, by name."""

    def __init__(self) -> None:
        self._modules: dict[str, tuple[ExecutionModule, ModuleInfo]] = {}

    def register_module(self, module: ExecutionModule, *, source: str = "registered") -> None:
        """Add `module`, which then serves every call of its name.

        Raises:
            InvalidInputError: it is no module, or its name, version, kind or timeout is unusable.
            ConflictError: another module has the name.
        """
        info = _described(module, source)
        if info.name in self._modules:
            other = self._modules[info.name][1].source
            raise ConflictError(
                f"two modules are named {quoted(info.name)}: {source} and {other}; rename one",
                field="name",
            )
        self._modules[info.name] = (module, info)

    def get_module(self, name: str) -> ExecutionModule:
        """Return the module with this name.

        Raises:
            NotFoundError: there is none; the message names those that there are.
        """
        if name not in self._modules:
            known = listed(sorted(self._modules), "and")
            raise NotFoundError(f"no module is named {quoted(name)}; there are: {known}")
        return self._modules[name][0]

    def describe_module(self, name: str) -> ModuleInfo | None:
        """Return the description of the module with this name; None when there is none."""
        return self._modules.get(name, (None, None))[1]

    def list_modules(self) -> list[ModuleInfo]:
        """Return every module's description, by name."""
        return [self._modules[name][1] for name in sorted(self._modules)]

    def dispatch_module(
        self, module_input: ModuleInput, engine: "Engine", emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Call the module that `module_input` names; whatever it does becomes an outcome.

        An unknown module, an exception, a return of another type and a result that cannot be
        stored all end as ERROR. Raises nothing but the KeyboardInterrupt of Ctrl-C. The
        traceback of what the module raised goes to this process's log, and nowhere else.
        """
        try:
            module = self.get_module(module_input.module)
        except NotFoundError as error:
            return ModuleOutput.error_(error.message, error_type="module_not_found")
        try:
            return _checked(module.execute(module_input, engine, emit_artifact))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
                raise  # Ctrl-C: Python raises it there and nowhere else
            get_logger(__name__).exception(
                "module_raised",
                directive_id=module_input.directive_id,
                module=module_input.module,
                attempt=module_input.attempt,
            )
            # A service of Remit's own that was away is no verdict on the module: it may be retried.
            retryable = isinstance(error, RemitError) and error.retryable
            return ModuleOutput.error_(_summary_of(error), retryable=retryable)


def discover_modules(
    extra: Sequence[str] = (), *, installed: Iterable[EntryPoint] | None = None
) -> ModuleRegistry:
    """Return a registry of the built-in modules, the installed ones, and those named.

    Those named are `extra`, each as "package.module:Class". Without entry points as `installed`,
    those of installed packages are used.

    Raises:
        MisconfiguredError: one cannot be loaded or registered; the message names it.
    """
    registry = ModuleRegistry()
    for built_in in BUILT_IN:
        registry.register_module(built_in(), source="built-in")
    found = entry_points(group=ENTRY_POINT_GROUP) if installed is None else installed
    for point in sorted(found, key=lambda point: (point.name, point.value)):
        _load(registry, point, source=f"entry point {point.name} = {point.value}")
    for reference in extra:
        if not _REFERENCE.fullmatch(reference):
            raise MisconfiguredError(
                f"module {quoted(reference, 200)} is not usable: write it as package.module:Class"
            )
        _load(registry, EntryPoint(reference, reference, ENTRY_POINT_GROUP), source=reference)
    return registry


def _load(registry: ModuleRegistry, point: EntryPoint, *, source: str) -> None:
    try:
        registry.register_module(point.load()(), source=source)
    except RemitError as error:
        problem = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - importing runs foreign code
        problem = _summary_of(error) + import_hint(error, point.value)
    else:
        return
    raise MisconfiguredError(
        f"module {source} cannot be loaded: {problem}; mend it, or remove it from the worker"
    )


def _described(module: ExecutionModule, source: str) -> ModuleInfo:
    if not isinstance(module, ExecutionModule):
        raise InvalidInputError(
            "not a module: it needs name, version, kind, default_timeout and execute"
        )
    # Read untyped: whoever wrote the module may not have run a type checker over it.
    name, version, kind, timeout = (
        getattr(module, part, None) for part in ("name", "version", "kind", "default_timeout")
    )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError(
            "a module's name is a lower-case letter, then lower-case letters, digits, _, . or -, "
            "at most 100 in all",
            field="name",
        )
    if not isinstance(version, str) or not version.strip():
        raise InvalidInputError('must be text, like "1"', field="version")
    if kind not in get_args(ModuleKind):
        raise InvalidInputError('must be "short" or "long"', field="kind")
    if not isinstance(timeout, timedelta) or timeout <= timedelta(0):
        raise InvalidInputError("must be a timedelta above zero", field="default_timeout")
    # Not inspect.getdoc: a class without a docstring would inherit that of its base.
    lines = (type(module).__doc__ or "").strip().splitlines() or [""]
    summary = one_line(lines[0], 200)
    return ModuleInfo(name, version, module.kind, summary, source, timeout.total_seconds())


def _checked(output: object) -> ModuleOutput:
    """Return `output` as it can be stored, its secrets masked, or an ERROR that says why not."""
    if not isinstance(output, ModuleOutput):
        kind = type(output).__name__
        return ModuleOutput.error_(f"the module returned {kind}, not ModuleOutput: mend the module")
    result: object = output.result
    if result is not None:
        fault = find_fault(result)
        if not isinstance(result, dict):
            fault = JsonFault("", "not an object: return a dict or None")
        if fault is not None:
            where = ".".join(filter(None, ("result", fault.path)))
            return ModuleOutput.error_(f"the module's {where} cannot be stored: {fault.problem}")
        output = replace(output, result=redact_object(output.result or {}))
    if output.error is None:
        return output
    message = one_line(redact_text(str(output.error.message)), _MESSAGE_LENGTH)
    return replace(output, error=replace(output.error, message=message))


def _summary_of(error: BaseException) -> str:
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - a foreign exception's __str__ may raise anything
        message = ""
    told = f"{type(error).__name__}: {message}".removesuffix(": ")
    return one_line(redact_text(told), _MESSAGE_LENGTH)
