"""What reaches libpq: no place that the environment names, no parameter that it would refuse."""

import pytest
from psycopg import pq

from remit.db.engine import check_address, create_database_engine
from remit.db.libpq import fixed_parameters
from remit.errors import MisconfiguredError
from tests.support.libpq_variables import LIBPQ_VARIABLES

LOCAL = {"host": "/run/pg", "port": "5432", "user": "remit_app", "dbname": "remit"}
REMOTE = {**LOCAL, "host": "db.example"}


def test_no_variable_means_nothing_to_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBPQ_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert fixed_parameters(LOCAL) == fixed_parameters(REMOTE) == {}


@pytest.mark.parametrize("name", LIBPQ_VARIABLES)
def test_over_a_socket_file_no_variable_is_left_to_libpq(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    fixed = fixed_parameters(LOCAL)
    said = {
        each.keyword.decode() for each in pq.Conninfo.get_defaults() if each.val != each.compiled
    }
    # A password is sent to a server that asks for one, which the embedded one does not.
    assert said - set(LOCAL) - set(fixed) <= {"password"}


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("PGHOSTADDR", {"hostaddr": ""}),
        ("PGTARGETSESSIONATTRS", {"target_session_attrs": "any"}),
        ("PGLOADBALANCEHOSTS", {"load_balance_hosts": "disable"}),
        # How secrets are given, and how more is demanded of a server.
        ("PGPASSWORD", {}),
        ("PGPASSFILE", {}),
        ("PGSSLROOTCERT", {}),
        ("PGSSLMODE", {}),
        ("PGREQUIREAUTH", {}),
    ],
)
def test_over_the_network_the_environment_does_not_say_which_server(
    name: str, fixed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    assert fixed_parameters(REMOTE) == fixed


def test_an_address_that_leaves_out_its_port_or_host_does_not_take_them_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    monkeypatch.setenv("PGDATABASE", "other")
    assert fixed_parameters({"host": "db.example"}) == {"port": "5432", "dbname": ""}
    assert fixed_parameters({"user": "me"}) == {"host": "", "port": "5432", "dbname": ""}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("schema=public", "'schema'"),
        ("pgbouncer=true", "'pgbouncer'"),
        ("connection_limit=5", "'connection_limit'"),
        ("sslMode=require", "'sslMode'"),
        ("autocommit=true", "'autocommit'"),
        ("prepare_threshold=0", "'prepare_threshold'"),
        ("row_factory=x", "'row_factory'"),
        ("conninfo=x", "'conninfo'"),
        ("=x", "''"),
        ("service=prod", "'service'"),
        ("replication=database", "'replication'"),
        ("sslmode=nonsense", "sslmode"),
        ("sslmode=require&sslmode=disable", "sslmode"),
        ("sslnegotiation=direct", "sslnegotiation"),
        ("sslcertmode=nonsense", "sslcertmode"),
        ("ssl_min_protocol_version=1", "ssl_min_protocol_version"),
        ("min_protocol_version=9", "min_protocol_version"),
        ("max_protocol_version=nonsense", "max_protocol_version"),
        ("gssencmode=nonsense", "gssencmode"),
        ("channel_binding=nonsense", "channel_binding"),
        ("require_auth=nonsense", "require_auth"),
        ("target_session_attrs=nonsense", "target_session_attrs"),
        ("load_balance_hosts=nonsense", "load_balance_hosts"),
        ("scram_client_key=nonsense", "SCRAM"),
        ("port=nonsense", "port"),
        ("host=db.example&port=99999", "port"),
    ],
)
@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_READER_URL"])
def test_a_parameter_that_cannot_be_is_refused_with_its_variable(
    query: str, named: str, variable: str
) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        check_address(f"postgresql://me:Gl4shaus77@db.example/remit?{query}", variable)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{variable}: ")
    assert named in line
    assert "Gl4shaus77" not in line
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "address",
    ["postgresql://me@db.example:x/remit", "postgresql://me@db.example:99999/remit", "mysql://a/b"],
)
def test_an_address_that_cannot_be_is_refused_with_its_variable(address: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"\ADATABASE_OWNER_URL: .*"):
        check_address(address, "DATABASE_OWNER_URL")


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=verify-full&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem&sslcrl=/crl",
        "sslmode=require&sslnegotiation=direct",
        "gssencmode=require&krbsrvname=pg",
        "channel_binding=require&require_auth=scram-sha-256",
        "target_session_attrs=read-write&host=a,b&port=5432,5433",
        "host=a:5432&host=b:5433",
        "host=/run/pg&requirepeer=postgres",
        "hostaddr=192.0.2.1&passfile=/p&keepalives_idle=10&tcp_user_timeout=10",
        "options=-c%20work_mem%3D7MB&application_name=x&client_encoding=latin1&connect_timeout=3",
    ],
)
def test_what_libpq_takes_an_address_may_say(query: str) -> None:
    create_database_engine(f"postgresql://me:secret@/remit?{query}", role="remit_app")


def test_a_variable_that_libpq_would_not_take_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "nonsense")
    with pytest.raises(MisconfiguredError) as caught:
        create_database_engine("postgresql://me@db.example/remit")
    assert str(caught.value) == (
        'PGSSLMODE: invalid sslmode value: "nonsense": correct this parameter'
    )
    create_database_engine("postgresql://me@/remit?host=/run/pg")
