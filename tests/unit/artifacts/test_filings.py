"""What is signed of a filing covers all that its row says of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from remit.artifacts.repository import NewArtifact, new_artifact
from remit.artifacts.statements import FILING, sign_filing, verify_filing
from remit.artifacts.types import Artifact
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from tests.support.keys import INSTALLATION, KEYS, new_keys

NOW = INSTALLATION.since + timedelta(days=1)
ABOUT = UUID(int=5)


def filed() -> NewArtifact:
    return new_artifact("attachment", {"name": "n", "filed_by": "ada"}, directive_id=ABOUT)


def stored(new: NewArtifact, **changes: Any) -> Artifact:
    said = (new.id, new.type, new.uri, new.directive_id, None, new.metadata, new.digest)
    return replace(Artifact(*said, new.size_bytes, NOW), **changes)


@pytest.mark.parametrize("token", [None, uuid4()])
def test_what_was_signed_verifies(token: UUID | None) -> None:
    new = filed()
    verify_filing(stored(new), sign_filing(new, KEYS, token=token), KEYS)


CHANGES: dict[str, JsonObject | Any] = {
    "id": uuid4(),
    "uri": "artifact://local/another",
    "digest": "sha256:another",
    "directive_id": None,
    "metadata": {"name": "n", "filed_by": "mallory"},
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_row_that_was_changed_does_not(field: str) -> None:
    new = filed()
    envelope = sign_filing(new, KEYS, token=None)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_filing(stored(new, **{field: CHANGES[field]}), envelope, KEYS)


def test_metadata_that_is_no_object_does_not() -> None:
    new = filed()
    with pytest.raises(UnverifiableError):
        verify_filing(stored(new, metadata=[]), sign_filing(new, KEYS, token=None), KEYS)


def test_another_key_does_not() -> None:
    new = filed()
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        verify_filing(stored(new), sign_filing(new, new_keys(), token=None), KEYS)


def test_what_was_never_signed_counts_by_the_time_that_the_database_gave_it() -> None:
    new = filed()
    verify_filing(stored(new, created_at=datetime(1999, 1, 1, tzinfo=UTC)), None, KEYS)
    with pytest.raises(UnverifiableError, match="never signed"):
        verify_filing(stored(new), None, KEYS)


def test_it_is_of_its_own_kind() -> None:
    assert FILING.payload_type == "application/vnd.remit.filing.v2+json"
