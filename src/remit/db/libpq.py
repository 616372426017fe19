"""What libpq takes from the environment by itself, and what Remit's connections take from there.

libpq fills every parameter that it is not given from a variable of its own, and a `PGHOSTADDR` of
the caller's shell leads past the host that an address names. So the server, the database and the
session are never the environment's to say. Over a socket file, as the embedded Postgres has it,
nothing is, but who connects. Over the network the rest stays libpq's: PGPASSWORD, PGPASSFILE and
PGSSLROOTCERT are how secrets are handed to a service, and to drop PGSSLMODE or PGREQUIREAUTH would
ask less of the server than somebody meant.
"""

import re
from collections.abc import Mapping

from remit.errors import MisconfiguredError
from remit.settings import forget_variables

_WITHOUT_PARAMETER = (
    # Read whatever a connection is given: only their absence keeps them out.
    *("PGSERVICE", "PGDATESTYLE", "PGTZ", "PGGEQO"),
    *("PSYCOPG_IMPL", "PSYCOPG_WAIT_FUNC"),
)

_SERVER = frozenset(
    {"host", "hostaddr", "port", "dbname", "target_session_attrs", "load_balance_hosts"}
)
"""Parameters that say which server and database is meant."""

_LOGIN = frozenset({"user", "password"})

_NOT_IN_ADDRESS: Mapping[str, str] = {
    "service": "name the host and the database themselves",
    "replication": "take it out",
}
"""Parameters of libpq that would make something else of an address, and what to do instead."""

# Where libpq has no default of its own, it takes an empty value for none; but not for these.
_UNSAID: Mapping[str, str] = {
    "connect_timeout": "0",
    "sslcertmode": "allow",
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
}

_NO_SERVER = "/dev/null"
# What is left to complain of once libpq has taken every parameter.
_PASSED = ("connection to server", "over a local socket")


def shut_out_variables() -> None:
    """Take what no parameter outweighs out of this process's environment; before psycopg loads."""
    forget_variables(*_WITHOUT_PARAMETER)


def fixed_parameters(given: Mapping[str, object]) -> dict[str, str]:
    """Return what a connection must be given besides `given`, so that no variable says it."""
    shut_out_variables()
    from psycopg import pq

    local = _is_local(given)
    fixed = {}
    # libpq's own list, so that the variables of a newer one count as well. What the environment
    # says shows in `val`.
    for each in pq.Conninfo.get_defaults():
        keyword = each.keyword.decode()
        ours = keyword not in _LOGIN if local else keyword in _SERVER
        if ours and keyword not in given and each.val != each.compiled:
            fixed[keyword] = _UNSAID.get(keyword, (each.compiled or b"").decode())
    return fixed


def _is_local(given: Mapping[str, object]) -> bool:
    hosts = str(given.get("host") or "/").split(",")
    return not given.get("hostaddr") and all(host.startswith(("/", "@")) for host in hosts)


def check_parameters(given: Mapping[str, object], variable: str) -> None:
    """Refuse an address whose parameters libpq would not take; nothing is connected to."""
    shut_out_variables()
    from psycopg import pq

    known = {each.keyword.decode(): each for each in pq.Conninfo.get_defaults()}
    for keyword in given:
        if keyword not in known:
            advice = "take it out of the address"
        elif keyword in _NOT_IN_ADDRESS:
            advice = _NOT_IN_ADDRESS[keyword]
        else:
            continue
        raise MisconfiguredError(
            f"{keyword!r} is no parameter that an address of Remit's may have: {advice}",
            field=variable,
        )
    problem = _tried(given, fixed_parameters(given))
    if any(words in problem for words in _PASSED):
        return
    for keyword, each in known.items():
        if keyword in given or each.val == each.compiled or each.envvar is None:
            continue
        if re.search(rf"\b{keyword}\b", problem):
            variable = each.envvar.decode()
    raise MisconfiguredError(f"{problem}: correct this parameter", field=variable)


def _tried(given: Mapping[str, object], fixed: Mapping[str, str]) -> str:
    """Return what libpq says to these parameters, for a server that is not there."""
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    # A password, so that none is looked for; several ports would want as many hosts.
    moot = {"hostaddr"} | ({"port"} if "," in str(given.get("port", "")) else set())
    said = {keyword: str(value) for keyword, value in given.items() if keyword not in moot}
    trial = {**said, **fixed, "host": _NO_SERVER, "password": "none"}
    connection = pq.PGconn.connect_start(make_conninfo("", **trial).encode())
    try:
        problem = connection.get_error_message().strip()
    finally:
        connection.finish()
    return problem.removeprefix("connection is bad: ").splitlines()[0]
