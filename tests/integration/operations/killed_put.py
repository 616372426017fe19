"""Files evidence in a process of its own, which kills itself at one step of the way.

Called with STEP SIZE DATABASE_URL FOLDER; the environment has the key. Prints `reached STEP` and
dies there by SIGKILL, or prints `filed ID`, which is what whoever filed it is told. The step
`nowhere` lets it live. `swapped` is the control: the row is written first, and the object after it.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from remit.artifacts import filesystem
from remit.artifacts.filesystem import FilesystemObjectStore
from remit.artifacts.store import ObjectStore, ObjectStoreRequest, StoredObject
from remit.db.engine import create_database_engine
from remit.operations.evidence import artifacts
from remit.operations.evidence.artifacts import Filing, file_attachment
from remit.operations.identities.authentication import use_keys
from remit.signing.keys import load_keyring
from tests.support.people import OPERATOR


def die(step: str) -> NoReturn:
    """Tell where, and die as by a loss of power: nothing is closed, rolled back or flushed."""
    sys.stdout.write(f"reached {step}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def after(place: Any, name: str, step: str) -> None:
    """Die when a function has returned."""
    wrapped: Callable[..., object] = getattr(place, name)

    def dying(*args: object, **kwargs: object) -> NoReturn:
        wrapped(*args, **kwargs)
        die(step)

    setattr(place, name, dying)


def before(place: Any, name: str, step: str) -> None:
    """Die when a function is called."""
    setattr(place, name, lambda *_, **__: die(step))


def lie_in_wait(step: str, store: FilesystemObjectStore) -> None:
    """Arrange for the death at a step."""
    waits: dict[str, Callable[[], None]] = {
        "source read": lambda: after(artifacts, "read_bounded", step),
        "temporary file written": lambda: after(filesystem, "_write", step),
        "object named": lambda: after(filesystem, "_create", step),
        "object durable": lambda: after(store, "put", step),
        "before the row": lambda: before(artifacts, "append_events", step),
        "before the commit": lambda: after(artifacts, "append_events", step),
        "before the answer": lambda: after(artifacts, "_keep", step),
        "nowhere": lambda: None,
    }
    waits[step]()


class Late(ObjectStore):
    """The control: answers a put at once, and keeps the object only when told to."""

    name = "filesystem"
    durable = True

    def __init__(self, store: FilesystemObjectStore) -> None:
        self.store = store
        self.held: list[ObjectStoreRequest] = []

    def keep(self, request: ObjectStoreRequest) -> bool:
        """Promise an object."""
        self.held.append(request)
        return True

    def read(self, key: str) -> bytes:
        """Return an object's content."""
        return self.store.read(key)

    def holds(self, key: str) -> bool:
        """Return whether there is such an object."""
        return self.store.holds(key)

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object."""
        return self.store.list_objects()

    def keep_all(self) -> None:
        """Put what was promised."""
        for request in self.held:
            self.store.put(request)


def file(engine: Any, store: ObjectStore, size: int) -> str:
    """File content of a size, and return the artifact's identifier."""
    source = io.BytesIO(b"k" * size)
    filing = Filing("notes.txt", "text/plain", {})
    keys = use_keys(engine, load_keyring(None, signing_key=os.environ["REMIT_SIGNING_KEY"]))
    return str(file_attachment(engine, store, source, filing, by=OPERATOR, keys=keys).id)


def main(step: str, size: str, database_url: str, folder: str) -> None:
    """File, or die on the way."""
    engine = create_database_engine(database_url, application_name="killed")
    store = FilesystemObjectStore(Path(folder))
    if step == "swapped":
        late = Late(store)
        file(engine, late, int(size))
        # In that order, this is the step between the two writes.
        before(late, "keep_all", step)
        late.keep_all()
    lie_in_wait(step, store)
    sys.stdout.write(f"filed {file(engine, store, int(size))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
