"""Every variable that libpq reads, with a value that would lead a connection astray."""

import os
from collections.abc import Mapping
from unittest import mock

from psycopg import pq

_VALUES: Mapping[str, str] = {
    "PGHOST": "192.0.2.1",
    "PGHOSTADDR": "127.0.0.1",
    "PGPORT": "1",
    "PGOPTIONS": "-c nonsense=1 -c default_transaction_read_only=on",
    "PGCLIENTENCODING": "LATIN1",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGCHANNELBINDING": "require",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSSLMODE": "verify-full",
    "PGSSLNEGOTIATION": "direct",
    "PGGSSENCMODE": "require",
    "PGMINPROTOCOLVERSION": "3.2",
    "PGMAXPROTOCOLVERSION": "3.2",
}


def _named() -> list[str]:
    # None of the machine's own, whatever this process was started with.
    with mock.patch.dict(os.environ, clear=True):
        return [each.envvar.decode() for each in pq.Conninfo.get_defaults() if each.envvar]


LIBPQ_VARIABLES: Mapping[str, str] = {
    **{name: _VALUES.get(name, "nonsense") for name in _named()},
    # Those that belong to no parameter.
    "PGSERVICEFILE": "/nonsense",
    "PGSYSCONFDIR": "/nonsense",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "Asia/Tokyo",
    "PGGEQO": "nonsense",
    "PGREQUIRESSL": "1",
    "PSYCOPG_IMPL": "nonsense",
    "PSYCOPG_WAIT_FUNC": "nonsense",
}
"""By its name. The list is libpq's own, so that a variable of a newer one is tried as well."""
