"""A process that meets a limit of the system: `python unprivileged.py <what> <folder>`.

`full` may write no file over 4,096 bytes, and puts 100,000; `forbidden` is nobody in particular,
and may not write the folder. What the store says is printed as one JSON object.
"""

import json
import os
import resource
import sys
from pathlib import Path

from remit.artifacts.filesystem import UNFINISHED, FilesystemObjectStore
from remit.artifacts.store import ObjectStoreException, ObjectStoreRequest, object_key

NOBODY = 65534
CONTENT = b"x" * 100_000


def full(folder: Path) -> None:
    """Put more than the disk takes."""
    store = FilesystemObjectStore(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    store.put(ObjectStoreRequest(object_key(CONTENT), CONTENT))


def forbidden(folder: Path) -> None:
    """Open a store where nothing may be written."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    FilesystemObjectStore(folder)


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    try:
        {"full": full, "forbidden": forbidden}[what](folder)
    except ObjectStoreException as error:
        left = list(folder.glob(f"{UNFINISHED}/*")) if what == "full" else []
        answer = [error.reason, error.retryable, error.message, len(left)]
        print(json.dumps(answer))  # noqa: T201 - this is its answer
