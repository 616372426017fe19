"""What an address must look like before anything is opened."""

import pytest

from remit.db.engine import _startup_options, create_database_engine
from remit.db.session import where
from remit.errors import MisconfiguredError


def test_text_that_is_no_address_is_refused_with_its_variable() -> None:
    with pytest.raises(MisconfiguredError) as caught:
        create_database_engine("no address")
    assert str(caught.value) == (
        "DATABASE_URL: this is no database address; write postgresql://user:password@host:port/name"
    )


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(MisconfiguredError) as caught:
        create_database_engine("sqlite:///remit.db")
    assert str(caught.value) == (
        "DATABASE_URL: Remit needs Postgres, and 'sqlite' is not; "
        "write postgresql://user:password@host:port/name"
    )


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://me:secret@db.example:5433/remit", "db.example:5433/remit"),
        ("postgresql+psycopg://me:secret@db.example/remit", "db.example/remit"),
        ("postgresql://postgres@/remit?host=/run/pg", "/run/pg/remit"),
    ],
)
def test_a_message_names_the_server_and_the_database_but_never_the_password(
    address: str, name: str
) -> None:
    assert where(create_database_engine(address)) == name


def test_a_driver_need_not_be_named() -> None:
    engine = create_database_engine("postgresql://me@db.example/remit")
    assert engine.driver == "psycopg"


def test_what_a_session_is_to_be_like_follows_the_address_s_own_options() -> None:
    own = {"options": "-c jit=off"}
    assert _startup_options(own, {}) == "-c jit=off"
    assert _startup_options(own, {"role": "remit_app"}) == "-c jit=off -c role=remit_app"
    assert _startup_options({}, {"DateStyle": "ISO, MDY", "search_path": "module_data,public"}) == (
        r"-c DateStyle=ISO,\ MDY -c search_path=module_data,public"
    )
