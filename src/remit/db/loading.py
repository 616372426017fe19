"""What a connection makes of values that Python cannot hold: a mark in their place, and no error.

Postgres holds numbers of 131,072 digits, JSON as deep as its stack, and moments without end. An
error in the middle of many rows would take all of them away. `remit.telemetry.rows` finds the
marks, row by row. This loads the driver, and so is loaded only once a connection is there.
"""

from typing import TYPE_CHECKING, Any

from psycopg import DataError
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format

from remit.base.json_types import Unreadable
from remit.db.reading import read_json

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.abc import AdaptContext

_MOMENTS = ("timestamptz", "timestamp", "date", "interval")


def load_carefully(connection: "Connection[Any]") -> None:
    """Let no value that Python cannot hold end what this connection reads."""
    adapters = connection.adapters
    adapters.register_loader("jsonb", _JsonLoader)
    for name in _MOMENTS:
        oid = adapters.types[name].oid
        found = adapters.get_loader(oid, Format.TEXT)
        if found is not None:
            adapters.register_loader(oid, _careful(name, found))


class _JsonLoader(Loader):
    def load(self, data: Buffer) -> object:
        return read_json(bytes(data))


def _careful(name: str, trusting: type[Any]) -> type[Loader]:
    mark = Unreadable(name)

    class Careful(Loader):
        def __init__(self, oid: int, context: "AdaptContext | None" = None) -> None:
            super().__init__(oid, context)
            self._trusting = trusting(oid, context)

        def load(self, data: Buffer) -> object:
            try:
                return self._trusting.load(data)
            except (DataError, ValueError, OverflowError):
                return mark

    return Careful
