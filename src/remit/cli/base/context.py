"""What a command works with: the options that all commands share, and what is opened for them.

Everything is opened when it is first asked for, and closed when the command ends. A command that
changes something opens :meth:`Context.control`, which connects to Temporal before it writes.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from functools import cached_property, wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Concatenate

import typer

from remit.cli.base import output, services
from remit.cli.base.options import ActorOption, DataDirOption, JsonOption
from remit.cli.base.telemetry import observed
from remit.cli.base.token_files import find_token_text

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa
    from rich.console import Console

    from remit.base.progress import Progress
    from remit.control import Control
    from remit.db.engine import DatabaseRole
    from remit.identity.types import Principal
    from remit.settings import Settings
    from remit.signing.keys import Keyring


class Context:
    """One call of a command.

    Attributes:
        data_dir: the folder that `--data-dir` named; the commands to type next need it too.
        actor: the principal whose kept token is meant, as `--as` says; None: the caller's own.
    """

    def __init__(self, data_dir: Path | None, *, as_json: bool, actor: str | None = None) -> None:
        self.data_dir = data_dir
        self.as_json = as_json
        self.actor = actor
        self._opened = ExitStack()

    @cached_property
    def settings(self) -> "Settings":
        """The settings, with `--data-dir` in place of its variable."""
        return services.load_settings(self.data_dir)

    @cached_property
    def engine(self) -> "sa.Engine":
        """The database; UnavailableError where it is named nowhere and no stack runs."""
        url = services.database_url(self.settings)
        return self.connect(url, role="remit_app", application_name="remit-cli", pool_size=2)

    @cached_property
    def reader(self) -> "sa.Engine":
        """The database for a reader of memory, who can write nothing."""
        url = services.reader_database_url(self.settings)
        return self.connect(url, role="remit_reader", application_name="remit-reader", pool_size=1)

    def connect(
        self, url: str, *, role: "DatabaseRole", application_name: str, pool_size: int
    ) -> "sa.Engine":
        """Return a database that is closed with this command."""
        from remit.db.engine import create_database_engine

        engine = create_database_engine(
            url, role=role, application_name=application_name, pool_size=pool_size
        )
        self._opened.callback(engine.dispose)
        return engine

    @cached_property
    def keys(self) -> "Keyring":
        """The keys of the database's installation."""
        return services.keys_for(self.engine, self.settings)

    @cached_property
    def caller(self) -> "Principal":
        """Who gives the command, as their token says; UnauthenticatedError if none holds."""
        from remit.operations.identities.authentication import authenticate

        return authenticate(self.engine, find_token_text(self.settings, self.actor), self.keys)

    def resolve(self, text: str) -> "UUID":
        """Return the directive's identifier that `text` is, or is the beginning of."""
        from remit.operations.evidence.records import resolve_id

        return resolve_id(self.engine, text)

    @asynccontextmanager
    async def control(self) -> "AsyncIterator[tuple[Control, Principal]]":
        """Open both services, for a command that changes something; yield who gives it, too."""
        from remit.stack.discovery import resolve_services

        found = resolve_services(self.settings)

        from remit.control import Control
        from remit.operations.gate.policies import Confirmations, PolicySource
        from remit.workflows.client import WorkflowClient, connect

        # What is wrong with the keys or the policy is said before anything is connected.
        services.keyring(self.settings)
        engine = self.engine
        PolicySource(found.policy_file)
        with observed(self.settings, "remit-cli") as seen:
            client = await connect(found.temporal_address, found.temporal_namespace, seen)
            keys = await asyncio.to_thread(lambda: self.keys)
            policies = PolicySource(found.policy_file, Confirmations(engine, lambda: keys))
            caller = await asyncio.to_thread(lambda: self.caller)
            yield Control(engine, WorkflowClient(client), policies, keys), caller

    def show(self, document: object, text: Callable[[], None]) -> None:
        """Print what came of the command: one JSON document for a program, else text."""
        if self.as_json:
            output.write_json(document)
        else:
            text()

    def spinner(self, text: str) -> "AbstractContextManager[Console | None]":
        """Show a person that something is under way; see :func:`output.spinner`."""
        return output.spinner(text, quiet=self.as_json)

    def bar(self, what: str) -> "AbstractContextManager[Progress]":
        """Show a person how far something is; see :func:`output.bar`."""
        return output.bar(what, quiet=self.as_json)

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


_Function = Callable[Concatenate[Context, ...], None]
_SHARED = frozenset({"actor", "as_json", "data_dir"})


def command(
    *, acting: bool = False, fields: Mapping[str, object] = MappingProxyType({})
) -> Callable[[_Function], Callable[..., None]]:
    """Make a function of a :class:`Context` a command with the options that commands share.

    They come after its own: `--as` where somebody must be `acting`, then `--data-dir` and `--json`.
    The options in `fields`, by the name of an argument that is text or None, come before its own.
    """
    shared = [
        _option("data_dir", DataDirOption, None),
        _option("as_json", JsonOption, default=False),
    ]
    first = [_option(name, Annotated[str | None, kind], None) for name, kind in fields.items()]
    if acting:
        shared.insert(0, _option("actor", ActorOption, None))

    def decorate(function: _Function) -> Callable[..., None]:
        signature = inspect.signature(function)
        own = list(signature.parameters.values())[1:]
        if clash := _SHARED & {*fields, *(each.name for each in own)}:
            # `run` would take the value away before the function sees it.
            raise TypeError(f"the shared options take {sorted(clash)}: rename the parameter")

        @wraps(function)
        def run(
            *, data_dir: Path | None, as_json: bool, actor: str | None = None, **given: object
        ) -> None:
            context = Context(data_dir, as_json=as_json, actor=actor)
            try:
                function(context, **given)
            finally:
                context.close()

        arguments = [each for each in own if each.kind is each.POSITIONAL_OR_KEYWORD]
        options = [each for each in own if each.kind is each.KEYWORD_ONLY]
        declared = [*arguments, *first, *options, *shared]
        run.__signature__ = signature.replace(parameters=declared)  # type: ignore[attr-defined] # Typer reads it
        return run

    return decorate


def _option(name: str, kind: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


class Group(typer.Typer):
    """A group of commands, each of them a function of a :class:`Context`."""

    def __init__(self, text: str) -> None:
        super().__init__(help=text, no_args_is_help=True)
        self.callback()(lambda: None)  # else a group of one command would be that command

    def add(
        self, name: str | None = None, *, acting: bool = False
    ) -> Callable[[_Function], Callable[..., None]]:
        """Make a function a command of this group; see :func:`command`."""
        return lambda function: self.command(name)(command(acting=acting)(function))
