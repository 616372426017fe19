"""An object store in a folder: what the embedded stack keeps large contents in.

`<folder>/sha256/<first two digits>/<64 digits>` holds an object, so `sha256sum` checks one by
hand and no folder grows without bound. `<folder>/unfinished/` holds what is being written.

A put writes beside, syncs the file, links it under its name and syncs the folders: at each moment,
of a crash or of a loss of power, a name leads to a whole object or to none. A link, unlike a
rename, never replaces. obstore's own `LocalStore` is not used: it does not let a caller ask for a
sync, follows symbolic links and gives files the rights that the umask leaves.

Folders are walked by descriptors that follow no symbolic link, so nothing outside is reached.
"""

import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from remit.artifacts.store import (
    KEY_FOLDER,
    MAX_OBJECT_BYTES,
    ObjectStore,
    ObjectStoreException,
    ObjectStoreRequest,
    StoredObject,
    check_content,
    check_key,
    damaged,
    failure,
    is_key,
    not_found,
)

UNFINISHED = "unfinished"
"""Folder of the store for what is being written; what a crash left there is no object."""

UNFINISHED_KEPT = timedelta(days=1)
"""How old a file there must be before a later start removes it. A put takes seconds at most."""

_MAY_NOT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTSUP})
# What opening meets where somebody put a link, a file or a socket in an object's or folder's place.
_MISPLACED = frozenset({errno.EEXIST, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe in an object's place must not hold a reader up.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FilesystemObjectStore(ObjectStore):
    """Keeps objects in a folder, each in a read-only file that only its owner may read."""

    name = "filesystem"
    durable = True

    def __init__(self, folder: Path) -> None:
        """Make what is missing of the folder, and sweep what old crashes left."""
        self._folder = folder
        with self._reporting():
            missing = [path for path in (folder, *folder.parents) if not path.exists()]
            for path in (folder, folder / KEY_FOLDER, folder / UNFINISHED):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            for path in (folder, *(each.parent for each in missing)):
                with _opened(path) as made:
                    _sync(made)
            self._sweep()

    def keep(self, request: ObjectStoreRequest) -> bool:
        """Keep an object; when this returns it outlives a loss of power."""
        digest = check_key(request.key)
        with self._reporting(request.key), ExitStack() as descriptors:
            root, objects = self._open(descriptors)
            with suppress(FileExistsError):
                os.mkdir(_shelf(digest), 0o700, dir_fd=objects)
            shelf = descriptors.enter_context(_opened(_shelf(digest), objects))
            unfinished = descriptors.enter_context(_opened(UNFINISHED, root))
            created = not _present(shelf, digest) and _create(
                request.content, unfinished, shelf, digest
            )
            if not created:
                check_content(request.key, _read(shelf, digest, request.key))
                # As young as its newest put: nobody takes it for a leftover just before its row.
                os.utime(digest, dir_fd=shelf, follow_symlinks=False)
            # Also for an object that was there: whoever put it may not have come this far.
            _sync(shelf)
            _sync(objects)
        return created

    def read(self, key: str) -> bytes:
        """Return an object's first :data:`MAX_OBJECT_BYTES` and one more."""
        with self._reporting(key), ExitStack() as descriptors:
            return _read(self._open_shelf(descriptors, key), check_key(key), key)

    def holds(self, key: str) -> bool:
        """Return whether there is such an object."""
        with self._reporting(key), ExitStack() as descriptors:
            try:
                shelf = self._open_shelf(descriptors, key)
                os.close(_open_object(shelf, check_key(key), key))
            except ObjectStoreException as error:
                if error.error.error_type == "not_found":
                    return False
                raise
        return True

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object, by key; whatever else lies in the folder is passed over."""
        with self._reporting(), ExitStack() as descriptors:
            _, objects = self._open(descriptors)
            for name in _names(objects):
                try:
                    with _opened(name, objects) as shelf:
                        yield from _objects_of(shelf, name)
                except OSError as error:
                    if error.errno not in _MISPLACED:
                        raise

    def _open(self, descriptors: ExitStack) -> tuple[int, int]:
        """Return the open folder, and the open folder of its objects.

        No object is said to be missing only because a disk is.
        """
        try:
            root = descriptors.enter_context(_opened(self._folder))
            return root, descriptors.enter_context(_opened(KEY_FOLDER, root))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise failure(
                "storage_error",
                f"the object folder {self._folder} is gone: is its disk there?",
                retryable=True,
            ) from error

    def _open_shelf(self, descriptors: ExitStack, key: str) -> int:
        _, objects = self._open(descriptors)
        try:
            return descriptors.enter_context(_opened(_shelf(check_key(key)), objects))
        except FileNotFoundError:
            raise not_found(key) from None

    def _sweep(self) -> None:
        oldest = time.time() - UNFINISHED_KEPT.total_seconds()
        with _opened(self._folder) as root, _opened(UNFINISHED, root) as unfinished:
            for name in _names(unfinished):
                # Another process may sweep at the same time.
                with suppress(FileNotFoundError):
                    found = os.stat(name, dir_fd=unfinished, follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode) and found.st_mtime < oldest:
                        os.unlink(name, dir_fd=unfinished)

    @contextmanager
    def _reporting(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            if key is not None and error.errno in _MISPLACED:
                raise damaged(key, f"something else lies in its place ({reason})") from error
            if error.errno in _MAY_NOT or (key is None and error.errno in _MISPLACED):
                raise failure(
                    "misconfigured",
                    f"the object folder {self._folder} cannot be used ({reason}): mend it or its "
                    "permissions, or name another with OBJECT_STORE_DIR",
                ) from error
            raise failure(
                "storage_error",
                f"the object folder {self._folder} failed ({reason})",
                retryable=True,
            ) from error


def _shelf(digest: str) -> str:
    return digest[:2]


@contextmanager
def _opened(path: str | Path, within: int | None = None) -> Iterator[int]:
    """Open a folder; only one that an operator named (`within` is None) may be a symbolic link."""
    flags = _FOLDER if within is None else _FOLDER | os.O_NOFOLLOW
    descriptor = os.open(path, flags, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _present(shelf: int, digest: str) -> bool:
    try:
        os.stat(digest, dir_fd=shelf, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _create(content: bytes, unfinished: int, shelf: int, digest: str) -> bool:
    name = uuid4().hex
    try:
        _write(name, unfinished, content)
        os.link(name, digest, src_dir_fd=unfinished, dst_dir_fd=shelf, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        # What cannot be removed now is swept later; it must not hide how the put ended.
        with suppress(OSError):
            os.unlink(name, dir_fd=unfinished)
    return True


def _write(name: str, unfinished: int, content: bytes) -> None:
    descriptor = os.open(name, _NEW, 0o400, dir_fd=unfinished)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _open_object(shelf: int, digest: str, key: str) -> int:
    try:
        descriptor = os.open(digest, _READ, dir_fd=shelf)
    except FileNotFoundError:
        raise not_found(key) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise damaged(key, "something else lies in its place")
    return descriptor


def _read(shelf: int, digest: str, key: str) -> bytes:
    with os.fdopen(_open_object(shelf, digest, key), "rb") as file:
        return file.read(MAX_OBJECT_BYTES + 1)


def _objects_of(shelf: int, shelf_name: str) -> Iterator[StoredObject]:
    for name in _names(shelf):
        key = f"{KEY_FOLDER}/{name}"
        if is_key(key) and _shelf(name) == shelf_name:
            found = os.stat(name, dir_fd=shelf, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                put_at = datetime.fromtimestamp(found.st_mtime, tz=UTC)
                yield StoredObject(key, found.st_size, put_at)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        # There, fsync leaves it in the drive's own cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)
