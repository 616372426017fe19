"""The database itself keeps no content that is not what its row says of it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from remit.artifacts.store import CONTENT_THRESHOLD_BYTES
from remit.base.canonical import sha256_digest
from tests.adversarial import world as w
from tests.adversarial.attempts import stopped_by
from tests.adversarial.world import Connection

NAMED, SMALL = "ck_artifacts_content_as_named", "ck_artifacts_content_is_small"
OTHER = sha256_digest(b"other")


def store(c: Connection, content: bytes | None, ref: Any, *, under: str = "content_ref") -> None:
    """Insert an attachment."""
    metadata = {} if ref is None else {under: ref}
    row = {"id": uuid4(), "type": "attachment", "uri": f"artifact://local/{uuid4()}"}
    row |= {"metadata": Jsonb(metadata), "digest": "d", "size_bytes": 2, "content": content}
    w.insert(c, "artifacts", row)


def said(content: bytes) -> dict[str, str]:
    return {"digest": sha256_digest(content)}


REFUSED: Mapping[str, tuple[bytes, Any, str]] = {
    "content that nothing names": (b"content", None, NAMED),
    "content with a name for another": (b"content", {"digest": OTHER}, NAMED),
    "content with a name in other letters": (
        b"content",
        {"digest": sha256_digest(b"content").upper()},
        NAMED,
    ),
    "content without a digest": (b"content", {}, NAMED),
    "content whose digest is null": (b"content", {"digest": None}, NAMED),
    "content whose name is a list": (b"content", [sha256_digest(b"content")], NAMED),
    "no bytes, with a name for another": (b"", {"digest": OTHER}, NAMED),
    "content over the threshold": (
        bytes(CONTENT_THRESHOLD_BYTES + 1),
        said(bytes(CONTENT_THRESHOLD_BYTES + 1)),
        SMALL,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_content_that_is_not_what_its_row_names_is_refused(
    logins: Mapping[str, Connection], name: str
) -> None:
    content, ref, check = REFUSED[name]
    for login in ("remit_app", "remit_owner", "postgres"):
        assert check in str(stopped_by(logins[login], lambda c: store(c, content, ref)))


@pytest.mark.parametrize("name", REFUSED)
def test_without_the_check_it_would_be_kept(logins: Mapping[str, Connection], name: str) -> None:
    content, ref, check = REFUSED[name]
    owner = logins["remit_owner"]
    owner.execute(f"ALTER TABLE artifacts DROP CONSTRAINT {check}".encode())
    assert stopped_by(owner, lambda c: store(c, content, ref)) is None


def test_a_name_that_a_module_uses_for_itself_does_not_stand_for_the_content(
    logins: Mapping[str, Connection],
) -> None:
    def attack(c: Connection) -> None:
        store(c, b"content", said(b"content"), under="content")

    assert NAMED in str(stopped_by(logins["remit_app"], attack))


@pytest.mark.parametrize("content", [None, b"", b"content", bytes(CONTENT_THRESHOLD_BYTES)])
def test_content_that_its_row_names_is_kept_and_so_is_a_row_without(
    logins: Mapping[str, Connection], content: bytes | None
) -> None:
    ref = said(content or b"")
    assert stopped_by(logins["remit_app"], lambda c: store(c, content, ref)) is None
