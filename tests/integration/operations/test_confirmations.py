"""Which policies may be decided by: those that an operator's command has confirmed."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.approval.statements import sign_policy
from remit.audit.chain import INSTALLATION
from remit.audit.repository import list_events
from remit.db.session import snapshot
from remit.errors import (
    ForbiddenError,
    InvalidInputError,
    MisconfiguredError,
    PolicyUnconfirmedError,
    UnavailableError,
    UnverifiableError,
)
from remit.identity.types import Principal
from remit.operations.evidence.explanation import explain
from remit.operations.gate import policies as confirmations
from remit.operations.gate.policies import (
    Confirmations,
    PolicySource,
    confirm_at_start,
    confirm_policy,
    find_confirmed,
)
from remit.policy.config import PolicyConfig, default_policy
from remit.signing.keys import Keyring
from tests.support.contents import forging, proposed, under
from tests.support.keys import INSTALLATION as TEST_INSTALLATION
from tests.support.keys import KEYS, new_keys
from tests.support.people import ADMIN, OPERATOR

INSERT = (
    "INSERT INTO policies (digest, version, confirmed_by, envelope) "
    "VALUES (:digest, :version, :by, CAST(:envelope AS jsonb))"
)


@pytest.fixture
def new() -> PolicyConfig:
    """Return a policy that nobody has seen yet."""
    return PolicyConfig(version=f"new-{uuid4()}")


def require(engine: sa.Engine, policy: PolicyConfig, keys: Keyring = KEYS) -> None:
    Confirmations(engine, lambda: keys).require(policy)


def test_a_policy_that_nobody_confirmed_is_refused_with_what_to_do(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    with pytest.raises(PolicyUnconfirmedError) as caught:
        require(engine, new)
    assert caught.value.message == (
        f'policy_unconfirmed: nothing is decided or started under policy "{new.version}" '
        f"({new.digest}): no operator has confirmed it; if it is what you mean, "
        "`remit policy confirm` says so"
    )
    assert (caught.value.error_type, caught.value.retryable) == ("policy_unconfirmed", True)
    assert isinstance(caught.value, UnavailableError)


def test_what_an_operator_confirmed_may_be_decided_by_and_is_told_in_the_log(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    done = confirm_policy(engine, new, by=OPERATOR, keys=KEYS)
    assert (done.created, done.policy.digest, done.policy.version) == (
        True,
        new.digest,
        new.version,
    )
    require(engine, new)
    found = find_confirmed(engine, new, KEYS)
    assert (found.confirmed_by, found) == (OPERATOR.name, done.policy)
    with snapshot(engine) as connection:
        event = list_events(connection, INSTALLATION)[-1]
    assert (event.type, event.actor) == ("policy.confirmed", OPERATOR.name)
    assert json.loads(event.data) == {
        "digest": new.digest,
        "version": new.version,
        "envelope": found.envelope,
    }


def test_to_confirm_again_changes_nothing_and_says_who_did_first(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    first = confirm_policy(engine, new, by=OPERATOR, keys=KEYS)
    with snapshot(engine) as connection:
        before = list_events(connection, INSTALLATION)
    again = confirm_policy(engine, new, by=ADMIN, keys=KEYS)
    assert (again.created, again.policy) == (False, first.policy)
    with snapshot(engine) as connection:
        assert list_events(connection, INSTALLATION) == before


@pytest.mark.parametrize(
    "by",
    [
        Principal("a", "human", roles=("proposer", "approver", "auditor")),
        Principal("a", "human", roles=("operator",), scopes=("propose",)),
        Principal("a", "agent", roles=("operator",)),
    ],
)
def test_only_who_operates_confirms_and_no_agent_does(
    engine: sa.Engine, new: PolicyConfig, by: Principal
) -> None:
    with pytest.raises(ForbiddenError):
        confirm_policy(engine, new, by=by, keys=KEYS)
    with pytest.raises(PolicyUnconfirmedError):
        require(engine, new)


def test_a_service_that_operates_confirms_what_it_delivers(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    by = Principal("delivery", "service", roles=("operator",))
    assert confirm_policy(engine, new, by=by, keys=KEYS).created


def test_what_a_stack_is_started_with_is_confirmed_by_that(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    confirm_at_start(engine, new, KEYS)
    assert find_confirmed(engine, new, KEYS).confirmed_by == "remit"


def test_a_worker_that_is_started_confirms_the_first_policy_and_no_later_one(
    engine: sa.Engine, new: PolicyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm_at_start(engine, new, KEYS, only_first=True)
    with pytest.raises(PolicyUnconfirmedError):
        require(engine, new)
    monkeypatch.setattr(confirmations, "is_any_confirmed", lambda connection: False)
    confirm_at_start(engine, new, KEYS, only_first=True)
    require(engine, new)


def test_a_process_that_cannot_sign_confirms_nothing(engine: sa.Engine, new: PolicyConfig) -> None:
    verifying = replace(KEYS, signing_key=None)
    confirm_at_start(engine, new, verifying)
    with pytest.raises(PolicyUnconfirmedError):
        require(engine, new)
    with pytest.raises(MisconfiguredError, match="no key to sign with"):
        confirm_policy(engine, new, by=OPERATOR, keys=verifying)
    require(engine, default_policy(), verifying)


class Counting:
    """Counts how often it is asked for the keys, which is once for each look at the database."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Keyring:
        self.asked += 1
        return KEYS


def test_each_policy_is_looked_up_until_it_is_confirmed_and_then_no_more(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    keys = Counting()
    seen = Confirmations(engine, keys)
    for _ in range(3):
        with pytest.raises(PolicyUnconfirmedError):
            seen.require(new)
    assert keys.asked == 3
    confirm_policy(engine, new, by=OPERATOR, keys=KEYS)
    for _ in range(3):
        seen.require(new)
    assert keys.asked == 4
    with pytest.raises(PolicyUnconfirmedError):
        seen.require(PolicyConfig(version="other"))


NO_ENVELOPES = ("{}", "[]", '"x"', "1", '{"signatures": 1, "payload": [], "payloadType": {}}')


@pytest.mark.parametrize("said", NO_ENVELOPES)
def test_what_is_no_envelope_confirms_nothing(
    engine: sa.Engine, new: PolicyConfig, said: str
) -> None:
    row = {"digest": new.digest, "version": new.version, "by": OPERATOR.name}
    with engine.begin() as connection:
        connection.execute(sa.text(INSERT), {**row, "envelope": said})
    with pytest.raises(PolicyUnconfirmedError, match="that it is confirmed does not verify: "):
        require(engine, new)


@pytest.fixture(params=["another's", "another installation's", "another policy's", "nobody's"])
def forged(request: pytest.FixtureRequest, engine: sa.Engine, new: PolicyConfig) -> None:
    """Write, with the service's login, that somebody confirmed the policy."""
    keys, policy = KEYS, new
    if request.param == "another's":
        keys = new_keys()
    elif request.param == "another installation's":
        keys = KEYS.used_for(replace(TEST_INSTALLATION, id=uuid4()))
    elif request.param == "another policy's":
        policy = default_policy()
    envelope = sign_policy(policy.digest, policy.version, OPERATOR.name, keys)
    said = {} if request.param == "nobody's" else envelope
    row = {"digest": new.digest, "version": new.version, "by": OPERATOR.name}
    with engine.begin() as connection:
        connection.execute(sa.text(INSERT), {**row, "envelope": json.dumps(said)})


@pytest.mark.usefixtures("forged")
def test_that_a_policy_is_confirmed_counts_only_if_it_was_signed(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    with pytest.raises(PolicyUnconfirmedError, match="that it is confirmed does not verify: "):
        require(engine, new)
    with pytest.raises(UnverifiableError, match="give it another version, and look for who did"):
        confirm_policy(engine, new, by=OPERATOR, keys=KEYS)


@pytest.mark.usefixtures("forged")
def test_if_the_signature_did_not_count_whoever_writes_rows_would_confirm(
    engine: sa.Engine, new: PolicyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmations, "verify_policy", lambda row, keys: None)
    require(engine, new)


DATED = (
    "INSERT INTO policies (digest, version, confirmed_by, confirmed_at, envelope) "
    "VALUES ('a', 'b', 'c', '2000-01-01', '{}')"
)
CHANGES = (
    "UPDATE policies SET version = 'x'",
    "UPDATE policies SET envelope = '{}'",
    "DELETE FROM policies",
    "TRUNCATE policies",
)


@pytest.mark.parametrize("statement", [DATED, *CHANGES])
def test_no_service_changes_a_row_or_says_when_it_was_made(
    engine: sa.Engine, statement: str
) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="denied"):
        connection.execute(sa.text(statement))


@pytest.mark.parametrize("statement", CHANGES)
def test_nor_does_whoever_owns_the_table(engine: sa.Engine, statement: str) -> None:
    owner = forging(engine)
    refused = "never changed|never removed"
    with owner.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=refused):
        connection.execute(sa.text(statement))
    owner.dispose()


def test_whoever_explains_a_directive_says_that_nothing_starts(
    engine: sa.Engine, new: PolicyConfig
) -> None:
    waiting = proposed(engine, scope="staging")
    told = explain(engine, waiting.id, under(new)).obstacles
    assert told[0].startswith("policy_unconfirmed: nothing is decided or started under policy ")
    confirm_policy(engine, new, by=OPERATOR, keys=KEYS)
    assert not any(
        "policy_unconfirmed" in one for one in explain(engine, waiting.id, under(new)).obstacles
    )


def test_a_source_tells_what_is_wrong_with_its_policy(
    engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text('version = "2"\nbudget.limits = []\napproval.rules = []\n[end]\nversion = "2"')
    source = PolicySource(path, Confirmations(engine, lambda: KEYS))
    found = source.problem()
    assert found is not None
    assert (found.fault, found.message[:19]) == ("policy_unconfirmed", "policy_unconfirmed:")
    with pytest.raises(PolicyUnconfirmedError):
        source.current()
    confirm_policy(engine, source.read(), by=OPERATOR, keys=KEYS)
    assert source.problem() is None
    path.write_text("")
    found = source.problem()
    assert found is not None
    assert found.fault == "policy_unreadable"
    with pytest.raises(InvalidInputError):
        source.current()
