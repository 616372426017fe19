"""What a command works with: settings, the database, and the control over both services.

Readers open the database alone. Whoever changes something opens a :func:`control`, which connects
to Temporal first: a Temporal that does not answer is found before anything is written.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from remit.errors import MisconfiguredError, UnavailableError

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

    from remit.control import Control
    from remit.settings import Settings

CONNECT_SECONDS = 10.0
"""How long Temporal may take to answer."""


def load_settings(data_dir: Path | None) -> "Settings":
    """Return the settings, with `--data-dir` in place of its variable.

    Raises:
        MisconfiguredError: a variable does not hold what its field needs.
    """
    from remit import settings

    loaded = settings.load_settings()
    if data_dir is None:
        return loaded
    return loaded.model_copy(update={"remit_data_dir": data_dir.expanduser().absolute()})


def module_references(settings: "Settings") -> tuple[str, ...]:
    """Return the modules that `REMIT_MODULES` names, as package.module:Class."""
    names = (name.strip() for name in settings.remit_modules.split(","))
    return tuple(name for name in names if name)


def actor(given: str | None, settings: "Settings") -> str:
    """Return who acts: `--as`, else `REMIT_ACTOR`, else the login name.

    Raises:
        MisconfiguredError: this account has no login name.
    """
    name = given if given is not None else settings.remit_actor
    if name is not None:
        if not name.strip() or not name.isprintable() or name != name.strip():
            raise MisconfiguredError(
                "not a name: use visible characters, with no space around them", field="--as"
            )
        return name
    import os
    import pwd

    try:
        # The account, and not what LOGNAME says: the environment is not asked who somebody is.
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError as error:
        raise MisconfiguredError(
            "this account has no login name: say who you are, or set REMIT_ACTOR", field="--as"
        ) from error


def database_url(settings: "Settings") -> str:
    """Return where Postgres is; Temporal need not be known.

    Raises:
        UnavailableError: it is named nowhere and no stack runs.
    """
    from remit.stack.discovery import normalize_database_url, resolve_services

    if settings.database_url:
        return normalize_database_url(settings.database_url)
    return resolve_services(settings).database_url


@contextmanager
def database(data_dir: Path | None) -> "Iterator[sa.Engine]":
    """Open the database, for a command that reads.

    Raises:
        UnavailableError: it is named nowhere and no stack runs.
        MisconfiguredError: its address is not one of Postgres.
    """
    url = database_url(load_settings(data_dir))
    from remit.db.engine import create_database_engine

    engine = create_database_engine(url, application_name="remit-cli", pool_size=2)
    try:
        yield engine
    finally:
        engine.dispose()


@asynccontextmanager
async def control(settings: "Settings") -> "AsyncIterator[Control]":
    """Open both services, for a command that changes something.

    Raises:
        UnavailableError: Temporal does not answer, or a service is named nowhere.
        InvalidInputError: the policy file holds no policy.
    """
    from remit.stack.discovery import resolve_services

    services = resolve_services(settings)

    from remit.control import Control
    from remit.db.engine import create_database_engine
    from remit.operations.policies import PolicySource
    from remit.workflows.client import WorkflowClient, connect

    policies = PolicySource(services.policy_file)
    address = services.temporal_address
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await connect(address, services.temporal_namespace)
    except TimeoutError as error:
        raise UnavailableError(
            f"Temporal at {address} does not answer within {CONNECT_SECONDS:g} s; "
            "start it, or correct TEMPORAL_ADDRESS"
        ) from error
    engine = create_database_engine(
        services.database_url, application_name="remit-cli", pool_size=2
    )
    try:
        yield Control(engine, WorkflowClient(client), policies)
    finally:
        engine.dispose()


async def resolve(control: "Control", text: str) -> "UUID":
    """Return the identifier that `text` is, or is the beginning of.

    Raises:
        InvalidInputError: it is none, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    from remit.operations.evidence import resolve_id

    return await asyncio.to_thread(resolve_id, control.engine, text)
