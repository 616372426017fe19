"""Ways around the rules that a service could try: deceiving them, or being early or late."""

from collections.abc import Mapping

import psycopg
import pytest

from tests.adversarial.attempts import Attack, stopped_by
from tests.adversarial.world import AGENT, DIGEST, Connection, World, move, say

SILENT = "UPDATE directives SET status = 'approved' WHERE id = %s"

# An operator that finds everything equal, made where a service may be led to look first.
FALSE_EQUALS = """
CREATE FUNCTION module_data.always({0}, {0}) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR module_data.= (FUNCTION = module_data.always, LEFTARG = {0}, RIGHTARG = {0});
GRANT USAGE ON SCHEMA module_data TO remit_app;
"""


def through_a_search_path(world: World) -> Attack:
    """Return a status without its event, by a service that looks in the modules' schema first."""

    def attack(connection: Connection) -> None:
        connection.execute("SET LOCAL ROLE remit_module")
        connection.execute(FALSE_EQUALS.format("text").encode())
        connection.execute("SET LOCAL ROLE remit_app")
        connection.execute("SET LOCAL search_path = module_data, pg_catalog, public")
        connection.execute(SILENT, [world.directives["proposed"][0]])
        # Some other event of the directive, of this transaction: only its type is not the one.
        say(connection, world.directives["proposed"][0], "policy.evaluated")

    return attack


def test_no_operator_of_a_module_s_deceives_a_rule(
    logins: Mapping[str, Connection], world: World
) -> None:
    attack = through_a_search_path(world)
    assert stopped_by(logins["remit_owner"], attack) == "remit_directive_status_said"


def test_a_rule_that_looked_where_its_caller_looks_would_be_deceived(
    logins: Mapping[str, Connection], world: World
) -> None:
    owner = logins["remit_owner"]
    found = owner.execute("SELECT pg_get_functiondef('remit_require_event'::regproc)").fetchone()
    assert found is not None
    owner.execute(str(found[0]).replace("OPERATOR(pg_catalog.=)", "=").encode())
    assert stopped_by(owner, through_a_search_path(world)) is None


def test_no_temporary_table_stands_in_for_the_events(
    logins: Mapping[str, Connection], world: World
) -> None:
    directive = world.directives["proposed"][0]

    def attack(connection: Connection) -> None:
        connection.execute("CREATE TEMP TABLE events AS SELECT * FROM public.events")
        connection.execute("UPDATE pg_temp.events SET type = 'directive.approved'")
        connection.execute("UPDATE pg_temp.events SET occurred_at = 'infinity'")
        connection.execute("SET LOCAL search_path = pg_temp, public")
        connection.execute(SILENT, [directive])

    assert stopped_by(logins["remit_app"], attack) == "remit_directive_status_said"


def test_an_event_of_an_earlier_transaction_vouches_for_nothing(
    logins: Mapping[str, Connection], world: World
) -> None:
    app, directive = logins["remit_app"], world.directives["proposed"][1]
    say(app, directive, "directive.approved")
    app.commit()
    attack = stopped_by(app, lambda c: c.execute(SILENT, [directive]))
    assert attack == "remit_directive_status_said"


def test_a_status_without_its_event_is_refused_at_the_commit_itself(
    logins: Mapping[str, Connection], world: World
) -> None:
    app = logins["remit_app"]
    app.execute(SILENT, [world.directives["proposed"][0]])
    with pytest.raises(psycopg.DatabaseError, match="without the event that says so"):
        app.commit()


def test_event_and_status_come_in_any_order(logins: Mapping[str, Connection], world: World) -> None:
    directive = world.directives["proposed"][0]

    def event_first(connection: Connection) -> None:
        say(connection, directive, "directive.approved")
        connection.execute(SILENT, [directive])

    app = logins["remit_app"]
    assert stopped_by(app, event_first) is None
    assert stopped_by(app, lambda c: move(c, directive, "approved")) is None


def test_the_world_is_not_empty(logins: Mapping[str, Connection], world: World) -> None:
    [(content,)] = (
        logins["remit_app"]
        .execute(
            "SELECT issued_by || action_digest FROM directives WHERE id = %s",
            [world.directives["complete"][0]],
        )
        .fetchall()
    )
    assert content == AGENT + DIGEST
