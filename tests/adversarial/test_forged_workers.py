"""Workers and versions written by SQL: nothing binds to them, and the audit finds them."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.approval.types import Grant
from remit.errors import RuleViolationError, UnverifiableError
from remit.execution import worker_repository
from remit.execution.module_repository import ANNOUNCED, Candidate
from remit.execution.modules.registry import discover_modules
from remit.execution.worker_repository import KnownWorkers
from remit.execution.workers import certificate, verify_certificate
from remit.operations.evidence.auditing import verify_log
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.gate.authority import Authority
from remit.operations.gate.routing import route
from remit.operations.runs.workers import announce
from remit.signing.statements import Kind, sign_statement
from tests.adversarial.attacking import forgery
from tests.adversarial.forging import OWN_KEYS, as_service
from tests.adversarial.world import Connection
from tests.support.contents import POLICY, SHORT, forging, under
from tests.support.contents import proposed as propose
from tests.support.keys import KEYS
from tests.support.people import ADMIN

FORGED = "sha256:" + "f" * 64
"""The digest of a version that no worker ever had."""

Forge = Callable[[Connection, UUID], None]


@pytest.fixture
def engine(empty_engine: sa.Engine) -> sa.Engine:
    """Return a database of each test's own: what one forges, another must not find."""
    return empty_engine


@pytest.fixture
def genuine(engine: sa.Engine) -> UUID:
    """Return a worker that Remit announced, and that lives."""
    return announce(engine, discover_modules(installed=()).list_modules(), KEYS).id


def _living(
    c: Connection, worker: UUID, kid: str, envelope: object, digest: str | None = FORGED
) -> None:
    c.execute(
        "INSERT INTO workers (id, kid, public_key, modules, envelope, lease_until)"
        " VALUES (%s, %s, 'a key', %s, %s, '2999-01-01')",
        [worker, kid, Jsonb({"echo": digest}), Jsonb(envelope)],
    )


def own_signature(c: Connection, genuine: UUID) -> None:
    """A worker that lives for ever, certified by the forger's own key."""
    del genuine
    worker = uuid4()
    said = certificate(worker, "kid", "a key", {"echo": FORGED})
    _living(c, worker, "kid", sign_statement(Kind("worker"), said, OWN_KEYS))


def copied_certificate(c: Connection, genuine: UUID) -> None:
    """The certificate of a worker that there is, with other modules."""
    row = c.execute("SELECT envelope FROM workers WHERE id = %s", [genuine]).fetchone()
    assert row is not None
    _living(c, uuid4(), "kid", row[0])


def own_key_for_workers(c: Connection, genuine: UUID) -> None:
    """A worker certified by a key for workers that the forger certified."""
    del genuine
    kid = str(OWN_KEYS.kid)
    by = {"kid": kid, "public_key": "a key", "label": "", "envelope": {}}
    worker = uuid4()
    said = certificate(worker, "kid", "a key", {"echo": FORGED})
    signed = sign_statement(Kind("worker"), said, OWN_KEYS)
    _living(c, worker, "kid", {"by": by, "certificate": signed})


def version_of_nobody(c: Connection, genuine: UUID) -> None:
    """A version that was announced last, by nobody."""
    del genuine
    c.execute(VERSION, [FORGED, None])


def version_of_another(c: Connection, genuine: UUID) -> None:
    """A version that was announced last, in the name of a worker that has another one."""
    c.execute(VERSION, [FORGED, genuine])


VERSION = (
    "INSERT INTO modules (name, digest, version, summary, announced_by)"
    " VALUES ('echo', %s, '9', '', %s)"
)
"""Announces a version now, which is later than any that was announced before."""
LATER = "UPDATE modules SET announced_at = '2999-01-01' WHERE version = '9'"

CERTIFICATES = (own_signature, copied_certificate, own_key_for_workers)
VERSIONS = (version_of_nobody, version_of_another)
NONE_SUCH = "the module echo 9 stands announced, and the worker that is named for it has none such"


def granted(engine: sa.Engine) -> Grant:
    """Propose a directive for `echo` in a process that knows no worker yet; return its grant."""
    found = propose(engine, POLICY, type="echo")
    grant = read_record(engine, found.id).grant
    assert grant is not None
    return grant


@pytest.mark.parametrize("forge", CERTIFICATES, ids=lambda forge: forge.__name__)
def test_a_grant_binds_to_what_a_certified_worker_has_and_the_audit_finds_the_other(
    engine: sa.Engine, genuine: UUID, forge: Forge
) -> None:
    with as_service(engine) as connection:
        forge(connection, genuine)
    assert granted(engine).module_digest == SHORT.digest
    [found] = verify_log(engine, by=ADMIN, keys=KEYS).findings
    assert found.fault == "unverifiable"
    assert found.words.startswith("the certificate of worker ")
    assert " does not verify: " in found.words


@pytest.mark.parametrize("when", ["now", "later, past every rule"])
@pytest.mark.parametrize("forge", VERSIONS, ids=lambda forge: forge.__name__)
def test_a_grant_binds_to_no_version_that_nobody_has_and_the_audit_finds_it_untold(
    engine: sa.Engine, genuine: UUID, forge: Forge, when: str
) -> None:
    with as_service(engine) as connection:
        forge(connection, genuine)
    if when != "now":
        with forgery(engine, "modules") as connection:
            connection.execute(LATER.encode())
    assert granted(engine).module_digest == SHORT.digest
    [found] = verify_log(engine, by=ADMIN, keys=KEYS).findings
    assert (found.fault, found.words) == ("untold", NONE_SUCH)


def test_no_service_announces_a_version_at_another_time(engine: sa.Engine, genuine: UUID) -> None:
    with as_service(engine) as connection:
        version_of_another(connection, genuine)
    with pytest.raises(psycopg.Error, match="a module is announced now"), as_service(engine) as c:
        c.execute(LATER.encode())
    dated = VERSION.replace("announced_by)", "announced_by, announced_at)")
    dated = dated.replace("'9'", "'10'").replace(", %s)", ", %s, '2999-01-01')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_service(engine) as c:
        c.execute(dated.encode(), ["sha256:" + "e" * 64, genuine])


@pytest.mark.parametrize("forge", CERTIFICATES[:2], ids=lambda forge: forge.__name__)
def test_without_the_look_at_certificates_a_grant_binds_to_a_forged_version(
    engine: sa.Engine, genuine: UUID, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with as_service(engine) as connection:
        forge(connection, genuine)
    monkeypatch.setattr(worker_repository, "verify_certificate", lambda *_: None)
    assert granted(engine).module_digest == FORGED


@pytest.mark.parametrize("digest", [None, ""])
def test_a_forged_worker_that_leaves_its_digest_out_is_bound_to_nothing_and_stops_no_proposal(
    engine: sa.Engine, genuine: UUID, digest: str | None
) -> None:
    del genuine
    with as_service(engine) as connection:
        _living(connection, uuid4(), "kid", {}, digest)
    assert granted(engine).module_digest == SHORT.digest


def test_without_the_look_for_a_digest_such_a_worker_stops_every_proposal(
    engine: sa.Engine, genuine: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    del genuine

    def careless(
        connection: sa.Connection, name: str, found: Sequence[Candidate], authority: Authority
    ) -> tuple[str, str]:
        ids = [worker for worker, _, _ in found if worker is not None]
        certified = authority.workers.modules_of(connection, ids, authority.keys)
        return next(
            (version, digest)
            for worker, version, digest in found
            if worker is not None and certified[worker].get(name) == digest
        )

    with as_service(engine) as connection:
        _living(connection, uuid4(), "kid", {}, None)
    monkeypatch.setattr(proposals, "certified_version", careless)
    with pytest.raises(RuleViolationError, match="module_digest"):
        granted(engine)


def test_nothing_is_handed_over_to_a_worker_that_was_not_certified(
    engine: sa.Engine, genuine: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with as_service(engine) as connection:
        own_signature(connection, genuine)
    grant = granted(engine)
    forged = {**{name: getattr(grant, name) for name in Grant.__slots__}, "module_digest": FORGED}
    with engine.begin() as connection:
        assert route(connection, Grant(**forged), under(POLICY)) is None
        monkeypatch.setattr(worker_repository, "verify_certificate", lambda *_: None)
        found = route(connection, Grant(**forged), Authority(POLICY, KEYS, workers=KnownWorkers()))
    assert found is not None
    assert found.worker_id is not None


def test_a_certificate_is_of_one_worker_and_of_one_installation() -> None:
    worker = uuid4()
    said = certificate(worker, "kid", "a key", {"echo": FORGED})
    envelope = sign_statement(Kind("worker"), said, KEYS)
    verify_certificate(envelope, said, KEYS)
    others = [
        certificate(uuid4(), "kid", "a key", {"echo": FORGED}),
        certificate(worker, "other", "a key", {"echo": FORGED}),
        certificate(worker, "kid", "b key", {"echo": FORGED}),
        certificate(worker, "kid", "a key", {"echo": FORGED, "more": FORGED}),
    ]
    for other in others:
        with pytest.raises(UnverifiableError):
            verify_certificate(envelope, other, KEYS)


def test_ten_thousand_workers_that_are_gone_cost_the_gate_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO workers (id, kid, public_key, modules, envelope, lease_until)"
            " SELECT gen_random_uuid(), n::text, '', '{\"echo\": \"x\"}', '{}',"
            " now() - interval '1 day' FROM generate_series(1, 10000) AS n"
        )
    superuser = forging(engine)
    with superuser.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE workers")
    superuser.dispose()
    with engine.connect() as connection:
        statement = f"EXPLAIN (FORMAT JSON) SELECT {ANNOUNCED} FROM directives AS directive"  # noqa: S608
        plan = connection.exec_driver_sql(statement).scalar_one()
    found = [node["Node Type"] for node in _nodes(plan[0]["Plan"]) if _reads_workers(node)]
    assert found
    assert set(found) <= {"Index Scan", "Bitmap Heap Scan"}


def _nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    return [plan, *(node for each in below for node in _nodes(each))]


def _reads_workers(node: dict[str, object]) -> bool:
    return node.get("Relation Name") == "workers"
