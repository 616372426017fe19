"""What the settings name: keys, stores, providers of embeddings, and where the database is."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.artifacts.store import ObjectStore
    from remit.cognition.embeddings.provider import EmbeddingProvider
    from remit.settings import Settings
    from remit.signing.keys import Keyring


def load_settings(data_dir: Path | None) -> "Settings":
    """Return the settings, with `--data-dir` in place of its variable."""
    from remit import settings

    loaded = settings.load_settings()
    if data_dir is None:
        return loaded
    return loaded.model_copy(update={"remit_data_dir": data_dir.expanduser().absolute()})


def module_references(settings: "Settings") -> tuple[str, ...]:
    """Return the modules that `REMIT_MODULES` names, as package.module:Class."""
    names = (name.strip() for name in settings.remit_modules.split(","))
    return tuple(name for name in names if name)


def keys_dir(settings: "Settings") -> Path:
    """Return the folder of the keys: REMIT_KEYS_DIR, else `keys` in the data folder."""
    return settings.remit_keys_dir or settings.remit_data_dir / "keys"


def keyring(settings: "Settings", *, make: bool = False) -> "Keyring":
    """Return the keys of this process.

    With `make`, the embedded stack's are made where there are none: only for whoever starts it. A
    key that was lost is not made anew behind everybody's back.
    """
    from remit.signing.keys import ensure_keys, load_keyring

    given = settings.remit_signing_key
    if make and settings.remit_keys_dir is None and given is None and not settings.database_url:
        return ensure_keys(keys_dir(settings))
    secret = None if given is None else given.get_secret_value()
    return load_keyring(keys_dir(settings), signing_key=secret)


def keys_for(engine: "sa.Engine", settings: "Settings", *, make: bool = False) -> "Keyring":
    """Return the keys of this process for use with a database: those of its installation.

    With `make`, as of :func:`keyring`, keys of a folder are settled to be this database's.

    Raises:
        MisconfiguredError: they cannot be used, or are those of another installation.
        UnavailableError: the database does not answer.
    """
    from remit.operations.identities.authentication import use_keys

    settled = keys_dir(settings) if make and settings.remit_signing_key is None else None
    return use_keys(engine, keyring(settings, make=make), settled)


def object_store(settings: "Settings") -> "ObjectStore":
    """Return where evidence over 64 KB goes: the data folder of an embedded stack by itself."""
    from remit.artifacts.config import get_object_store

    default = "filesystem" if _stands_on_stack(settings) else "noop"
    return get_object_store(settings, default=default, folder=settings.remit_data_dir / "objects")


def embedding_provider(settings: "Settings") -> "EmbeddingProvider":
    """Return what turns text into vectors: the model in the package on an embedded stack."""
    from remit.cognition.embeddings.config import get_embedding_provider

    default = "local" if _stands_on_stack(settings) else "noop"
    provider = get_embedding_provider(settings, default=default)
    if provider.name == "openai":
        from remit.cognition.embeddings.retrying import silence_retry_log

        silence_retry_log()
    return provider


def _stands_on_stack(settings: "Settings") -> bool:
    from remit.stack.discovery import find_stack

    return not settings.database_url or find_stack(settings.remit_data_dir) is not None


def database_url(settings: "Settings") -> str:
    """Return where Postgres is; Temporal need not be known.

    Raises:
        UnavailableError: it is named nowhere and no stack runs.
        MisconfiguredError: its address is not one of Postgres.
    """
    from remit.stack.discovery import normalize_database_url, resolve_services

    if settings.database_url:
        return normalize_database_url(settings.database_url)
    return resolve_services(settings).database_url


def owner_database_url(settings: "Settings") -> str:
    """Return where Postgres is for its owner, who migrates it; raises as :func:`database_url`."""
    from remit.stack.discovery import find_stack, normalize_database_url

    if settings.database_owner_url:
        return normalize_database_url(settings.database_owner_url, "DATABASE_OWNER_URL")
    info = None if settings.database_url else find_stack(settings.remit_data_dir)
    if info is not None and info.owner_database_url:
        return info.owner_database_url
    return database_url(settings)


def reader_database_url(settings: "Settings") -> str:
    """Return where Postgres is for readers of memory; raises as :func:`database_url`."""
    from remit.stack.discovery import find_stack, normalize_database_url

    info = None if settings.database_url else find_stack(settings.remit_data_dir)
    own = settings.database_reader_url or (info.reader_database_url if info else None)
    return normalize_database_url(own, "DATABASE_READER_URL") if own else database_url(settings)
