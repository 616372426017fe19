"""Every object store, made ready to be put to the same questions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.r2 import R2ObjectStore
from remit.artifacts.store import NoOpObjectStore
from tests.support.object_stores import Case, object_file
from tests.support.s3 import BUCKET, options, running_s3, send


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Return the address of an S3 server on this machine."""
    with running_s3() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3: str) -> str:
    """Return that address, with the bucket empty."""
    send(s3, "POST", "/moto-api/reset")
    send(s3, "PUT", f"/{BUCKET}")
    return s3


@pytest.fixture(params=["noop", "filesystem", "r2"])
def case(request: pytest.FixtureRequest) -> Case:
    """Return each store in turn."""
    make: Callable[[pytest.FixtureRequest], Case] = {
        "noop": _noop,
        "filesystem": _filesystem,
        "r2": _r2,
    }[request.param]
    return make(request)


def _noop(_: pytest.FixtureRequest) -> Case:
    store = NoOpObjectStore()

    def overwrite(name: str, content: bytes) -> None:
        store._objects[name] = (content, store._objects[name][1])

    return Case(store, overwrite, lambda: store)


def _filesystem(request: pytest.FixtureRequest) -> Case:
    folder: Path = request.getfixturevalue("tmp_path") / "objects"

    def overwrite(name: str, content: bytes) -> None:
        object_file(folder, name).write_bytes(content)

    return Case(
        FilesystemObjectStore(folder),
        overwrite,
        lambda: FilesystemObjectStore(folder),
        ("sha256/README", "sha256/" + "A" * 64, "other/" + "a" * 64),
    )


def _r2(request: pytest.FixtureRequest) -> Case:
    endpoint: str = request.getfixturevalue("bucket")

    def overwrite(name: str, content: bytes) -> None:
        send(endpoint, "PUT", f"/{BUCKET}/{name}", content)

    return Case(
        R2ObjectStore(options(endpoint)),
        overwrite,
        lambda: R2ObjectStore(options(endpoint)),
        ("sha256/README", "sha256/" + "A" * 64, "other/" + "a" * 64, "sha256/ab/" + "a" * 64),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where a store in a folder is, or is to be."""
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> FilesystemObjectStore:
    """Return the store in that folder."""
    return FilesystemObjectStore(folder)
