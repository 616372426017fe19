"""Whatever text a caller hands in, no secret in it is stored: it is refused, or masked."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.db.schema import metadata
from remit.errors import InvalidInputError
from remit.identity.types import Principal
from remit.memory.writing import NewMemory
from remit.operations.evidence.artifacts import Filing, file_attachment
from remit.operations.gate import proposals
from remit.operations.identities import directory
from remit.operations.recall.memories import recent_memories, remember
from remit.operations.runs.cancellation import cancel
from tests.support.contents import AUTHORITY, cast, directive, no, proposed, waiting, yes
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE, OPERATOR

SECRET = "sk-c4n4ryc4n4ryc4n4ryc4n4ry"
"""A secret by its form alone, in letters that the name of a principal may have."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Door:
    """Where texts come in.

    Attributes:
        engine: the database.
        folder: where objects are.
    """

    engine: sa.Engine
    folder: Path

    def propose(self, **changes: Any) -> None:
        proposals.propose(self.engine, [directive(**changes)], AUTHORITY, by=AGENT)

    def make_token(self, principal: Principal) -> None:
        directory.create_token(self.engine, principal, valid_for=DAY, by=ADMIN, keys=KEYS)

    def make_known(self, principal: Principal) -> None:
        directory.ensure_principals(self.engine, [principal], by=ADMIN, keys=KEYS)

    def file(self, **said: Any) -> None:
        filing = Filing(**({"name": "n", "media_type": "text/plain", "labels": {}} | said))
        store = FilesystemObjectStore(self.folder)
        file_attachment(self.engine, store, io.BytesIO(b"x"), filing, by=OPERATOR, keys=KEYS)

    def change(self, *groups: str) -> None:
        directory.change_principal(
            self.engine, "grace", roles=["approver"], groups=groups, by=ADMIN, keys=KEYS
        )

    def stop(self) -> None:
        cancel(self.engine, proposed(self.engine).id, by=OPERATOR, reason=SECRET)

    def vote(self, ballot: Any) -> None:
        found = waiting(self.engine)
        cast(self.engine, found, ballot(found, reason=SECRET), by=GRACE)

    def recall(self) -> None:
        recent_memories(self.engine, by=ADMIN, keys=KEYS, scope=SECRET, limit=5)

    def remember(self, **said: str) -> None:
        memory = NewMemory(**({"scope": "s", "content": "c"} | said))
        remember(self.engine, [memory], by=ADMIN, keys=KEYS)


def _person(**changes: Any) -> Principal:
    fields: dict[str, Any] = {"name": "new", "kind": "human", "roles": ("approver",)}
    return Principal(**(fields | changes))


_FIELDS: dict[str, Any] = {
    "idempotency_key": SECRET,
    "role": SECRET,
    "type": SECRET,
    "scope": SECRET,
    "objective": f"use {SECRET}",
    "payload": {"x": [SECRET]},
    "constraints": {SECRET: 1},
    "success_metrics": {"x": SECRET},
}

REFUSED: Mapping[str, Callable[[Door], object]] = {
    **{
        f"{field} of a directive": partial(Door.propose, **{field: value})
        for field, value in _FIELDS.items()
    },
    "budget of a directive": partial(Door.propose, budget=SECRET),
    "reason of a yes": partial(Door.vote, ballot=yes),
    "reason of a no": partial(Door.vote, ballot=no),
    "reason of a stop": Door.stop,
    "name of whom a token is for": lambda at: at.make_token(_person(name=SECRET)),
    "group of whom a token is for": lambda at: at.make_token(_person(groups=(SECRET,))),
    "name of a principal": lambda at: at.make_known(_person(name=SECRET)),
    "group of a principal": lambda at: at.make_known(_person(groups=("a", SECRET))),
    "group that a principal is given": lambda at: at.change("release", SECRET),
    "name of the first admin": lambda at: directory.recover_admin(
        at.engine, SECRET, valid_for=DAY, keys=KEYS
    ),
}
"""What is kept word for word."""

MASKED: Mapping[str, Callable[[Door], object]] = {
    "name of a file": lambda at: at.file(name=SECRET),
    "label of a file": lambda at: at.file(labels={"note": SECRET}),
    "name of a label": lambda at: at.file(labels={SECRET: "x"}),
    "scope of a memory": lambda at: at.remember(scope=SECRET),
    "content of a memory": lambda at: at.remember(content=f"use {SECRET}"),
    "scope that is asked for": Door.recall,
}
"""What is kept without it, or refused: it is not what people consent to."""


def stored(engine: sa.Engine) -> str:
    """Return everything that a database holds, as text."""
    with engine.connect() as connection:
        rows = [
            connection.execute(sa.text(f"SELECT CAST(t AS text) FROM {table} AS t")).scalars().all()  # noqa: S608
            for table in metadata.tables
        ]
    return "\n".join(line for lines in rows for line in lines)


@pytest.mark.parametrize("name", REFUSED)
def test_a_secret_in_what_is_kept_word_for_word_is_refused_and_not_repeated(
    engine: sa.Engine, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        REFUSED[name](Door(engine, tmp_path))
    assert SECRET not in str(caught.value)
    assert SECRET not in stored(engine)


@pytest.mark.parametrize("name", MASKED)
def test_a_secret_in_any_other_text_is_not_stored(
    engine: sa.Engine, tmp_path: Path, name: str
) -> None:
    MASKED[name](Door(engine, tmp_path))
    assert SECRET not in stored(engine)


def test_without_the_refusal_the_key_would_be_kept_and_shown(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "refuse_secrets", lambda *_, **__: None)
    found = proposed(engine, idempotency_key=SECRET, objective="The control.")
    assert found.idempotency_key == SECRET
    assert SECRET in stored(engine)


@pytest.mark.parametrize(
    "key",
    ["7f9c2ba4-e88f-4271-9d3a-6b1f0e5c8a77", "d41d8cd98f00b204e9800998ecf8427e", "k-1", "a:b/c"],
)
def test_a_key_of_random_letters_is_no_secret(engine: sa.Engine, key: str) -> None:
    assert proposed(engine, idempotency_key=key).idempotency_key == key


def test_a_group_is_a_short_text(engine: sa.Engine, tmp_path: Path) -> None:
    for group in ("x" * 101, "a\0b"):
        with pytest.raises(InvalidInputError) as caught:
            Door(engine, tmp_path).change(group)
        assert caught.value.field == "group"
