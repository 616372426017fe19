"""The watch over the chains finds what was tampered with, a few chains at a time."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.audit import repository
from remit.audit.chain import INSTALLATION
from remit.db.session import snapshot
from remit.errors import UnavailableError
from remit.operations.evidence import overview
from remit.operations.evidence.overview import ChainWatch, watch_chains
from tests.integration.operations.conftest import STRANGER, Scene
from tests.support.contents import proposed

START = ChainWatch(after=INSTALLATION)
ORPHAN = (
    "INSERT INTO events (directive_id, seq, type, actor, data, occurred_at, prev_hash, hash) VALUES"
    " ($stranger, 1, 'directive.proposed', 'x', '{}', now(), 'genesis', 'x')"
)
"""An event of a directive that there is not."""


def edited(name: str) -> str:
    """Return the forgery of one event of a chain."""
    return f"UPDATE events SET actor = 'mallory' WHERE directive_id = ${name} AND seq = 2"  # noqa: S608 - a name of the test's own


@pytest.mark.parametrize(
    ("forgery", "about"),
    [
        (edited("done"), "done"),
        ("DELETE FROM events WHERE directive_id = $voted AND seq = 1", "voted"),
        ("DELETE FROM events WHERE directive_id = $blocked", "blocked"),
        ("UPDATE directives SET status = 'complete' WHERE id = $voted", "voted"),
        (edited("installation"), "installation"),
        (ORPHAN, "stranger"),
    ],
)
def test_a_broken_chain_is_found(scene: Scene, forgery: str, about: str) -> None:
    clean = watch_chains(scene.engine, START)
    assert clean == ChainWatch(after=INSTALLATION, broken=frozenset(), rounds=1)
    scene.forge(forgery)
    named = {"installation": INSTALLATION, "stranger": STRANGER}
    known = named.get(about) or getattr(scene, about)
    assert watch_chains(scene.engine, clean).broken == {known}


def test_a_look_that_takes_too_long_fails_and_leaves_nothing_behind(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_NEWEST", sa.text("SELECT pg_sleep(30), :statuses, :limit"))
    monkeypatch.setattr(overview, "LONGEST_STATEMENT", timedelta(milliseconds=50))
    with pytest.raises(UnavailableError, match="statement timeout"):
        watch_chains(empty_engine, START)
    with empty_engine.connect() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar_one() == "0"


def test_each_look_takes_the_next_chains_until_the_round_is_done(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "NEXT", 2)
    monkeypatch.setattr(overview, "NEWEST", 0)
    ids = sorted(proposed(empty_engine).id for _ in range(5))
    places: list[tuple[UUID, int]] = []
    watch = START
    for _ in range(4):
        watch = watch_chains(empty_engine, watch)
        places.append((watch.after, watch.rounds))
    assert places == [(ids[1], 0), (ids[3], 0), (INSTALLATION, 1), (ids[1], 1)]


def test_a_broken_chain_is_looked_at_again_until_it_is_mended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "NEXT", 1)
    monkeypatch.setattr(overview, "NEWEST", 0)
    with snapshot(scene.engine) as connection:
        ids = repository.next_ids(connection, INSTALLATION, 10)
    assert ids == sorted((scene.done, scene.voted, scene.blocked))
    scene.forge("UPDATE events SET seq = -9 WHERE directive_id = $done AND seq = 2")
    watch = START
    for _ in range(4):
        watch = watch_chains(scene.engine, watch)
    assert watch.broken == {scene.done}
    scene.forge("UPDATE events SET seq = 2 WHERE directive_id = $done AND seq = -9")
    assert watch_chains(scene.engine, watch).broken == frozenset()


def test_what_changed_last_is_looked_at_each_time(scene: Scene) -> None:
    at_the_end = ChainWatch(after=UUID(int=2**128 - 1))
    scene.forge(edited("done"))
    assert watch_chains(scene.engine, at_the_end).broken == {scene.done}


def test_no_more_broken_chains_are_remembered_than_are_looked_at_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_BROKEN", 1)
    scene.forge(edited("done"), edited("voted"))
    assert len(watch_chains(scene.engine, START).broken) == 1


def test_a_chain_that_is_too_long_for_a_look_is_left_to_the_audit(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.forge(edited("done"), edited("installation"))
    found = watch_chains(scene.engine, START)
    assert found.broken == {scene.done, INSTALLATION}
    with snapshot(scene.engine) as connection:
        count = len(repository.list_chains(connection, [scene.done]))
    monkeypatch.setattr(overview, "LONGEST_CHAIN", count)
    assert scene.done in watch_chains(scene.engine, START).broken
    monkeypatch.setattr(overview, "LONGEST_CHAIN", 0)
    assert watch_chains(scene.engine, START).broken == frozenset()
    assert watch_chains(scene.engine, found).broken == found.broken


def test_a_new_watch_begins_anywhere() -> None:
    assert ChainWatch().after != ChainWatch().after
