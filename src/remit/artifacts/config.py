"""Which object store an installation has: the one place that knows them all."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.noop import NoOpObjectStore
from remit.artifacts.store import ObjectStore, failure
from remit.settings import Settings


def get_object_store(
    settings: Settings, *, default: str = "noop", folder: Path | None = None
) -> ObjectStore:
    """Return the store that the settings choose; the embedded stack's default is `filesystem`.

    It keeps objects in `folder` unless `OBJECT_STORE_DIR` says otherwise; None is `objects` in the
    data folder.
    """
    name = settings.object_store_provider or default
    make = _STORES.get(name)
    if make is None:
        raise failure(
            "misconfigured",
            f"OBJECT_STORE_PROVIDER names no store; there are {', '.join(sorted(_STORES))}",
        )
    return make(settings, folder)


def _filesystem(settings: Settings, folder: Path | None) -> ObjectStore:
    return FilesystemObjectStore(
        settings.object_store_dir or folder or settings.remit_data_dir / "objects"
    )


def _r2(settings: Settings, _folder: Path | None) -> ObjectStore:
    # obstore takes some hundredths of a second to load.
    from remit.artifacts.r2 import R2ObjectStore, R2Options

    needed: dict[str, str | SecretStr | None] = {
        "endpoint": settings.object_store_endpoint,
        "bucket": settings.object_store_bucket,
        "access_key_id": settings.object_store_access_key_id,
        "secret_access_key": settings.object_store_secret_access_key,
    }
    given = {name: _plain(value) for name, value in needed.items()}
    missing = [f"OBJECT_STORE_{name.upper()}" for name, value in given.items() if not value]
    if missing:
        raise failure("misconfigured", f"the store r2 also needs {', '.join(missing)}")
    return R2ObjectStore(
        R2Options(
            endpoint=given["endpoint"],
            bucket=given["bucket"],
            region=settings.object_store_region,
            access_key_id=given["access_key_id"],
            secret_access_key=given["secret_access_key"],
            timeout_seconds=settings.provider_timeout_seconds,
        )
    )


def _plain(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


_STORES: Mapping[str, Callable[[Settings, Path | None], ObjectStore]] = MappingProxyType(
    {"filesystem": _filesystem, "noop": lambda _settings, _folder: NoOpObjectStore(), "r2": _r2}
)
