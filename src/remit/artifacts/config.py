"""Which object store an installation has: the one place that knows them all."""

from pathlib import Path

from pydantic import SecretStr

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import NoOpObjectStore, ObjectStore, failure
from remit.settings import Settings


def get_object_store(
    settings: Settings, *, default: str = "noop", folder: Path | None = None
) -> ObjectStore:
    """Return the store that the settings choose; the embedded stack's default is `filesystem`.

    It keeps objects in `folder` unless `OBJECT_STORE_DIR` says otherwise; None is `objects` in the
    data folder.
    """
    match settings.object_store_provider or default:
        case "noop":
            return NoOpObjectStore()
        case "filesystem":
            return FilesystemObjectStore(
                settings.object_store_dir or folder or settings.remit_data_dir / "objects"
            )
        case "r2":
            return _r2(settings)
    raise failure(
        "misconfigured", "OBJECT_STORE_PROVIDER names no store; there are filesystem, noop, r2"
    )


def _r2(settings: Settings) -> ObjectStore:
    # obstore takes some hundredths of a second to load.
    from remit.artifacts.r2 import R2ObjectStore, R2Options

    given: dict[str, str] = {}
    for name in ("endpoint", "bucket", "access_key_id", "secret_access_key"):
        value: str | SecretStr | None = getattr(settings, f"object_store_{name}")
        given[name] = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
    missing = [f"OBJECT_STORE_{name.upper()}" for name, value in given.items() if not value]
    if missing:
        raise failure("misconfigured", f"the store r2 also needs {', '.join(missing)}")
    endpoint, bucket, key_id, secret = given.values()
    region, timeout = settings.object_store_region, settings.provider_timeout_seconds
    return R2ObjectStore(R2Options(endpoint, bucket, region, key_id, secret, timeout))
