"""A checkpoint is one signed file in one form: whatever else it holds, it is refused."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from remit.audit.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    Head,
    head_leaf,
    make_checkpoint,
    merkle_root,
    read_checkpoint,
    read_signed_checkpoint,
    sign_checkpoint,
)
from remit.base.canonical import canonical_json, sha256_digest
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.dsse import envelope_to_json
from remit.signing.keys import Keyring
from remit.signing.statements import sign_statement
from tests.support.keys import INSTALLATION, new_keys
from tests.unit.audit.chains import NOON

HEADS = (
    Head(UUID(int=2), 9, "sha256:" + "2" * 64),
    Head(UUID(int=0), 3, "sha256:" + "0" * 64),
    Head(UUID(int=1), 1, "sha256:" + "1" * 64),
)
KEYS = new_keys()
TAKEN = make_checkpoint(HEADS, NOON)
FILE = sign_checkpoint(TAKEN, KEYS)


def first(payload: bytes, kind: str = CHECKPOINT.first_type) -> bytes:
    """Return a file of the first version with a good signature over any payload."""
    return canonical_json(envelope_to_json(KEYS.sign(kind, payload))) + b"\n"


def second(stated: dict[str, Any], keys: Keyring = KEYS) -> bytes:
    """Return a file with a good signature over any header, and any heads beside it."""
    header = {name: value for name, value in stated.items() if name != "heads"}
    envelope = sign_statement(CHECKPOINT, header, keys)
    return canonical_json({"header": envelope, "heads": stated["heads"]}) + b"\n"


def content() -> dict[str, Any]:
    """Return what the payload of a good checkpoint says."""
    return {
        "taken_at": "2030-01-01T12:00:00.000000Z",
        "tree_size": 3,
        "root": TAKEN.root,
        "previous": None,
        "heads": [
            {"directive": str(head.directive_id), "seq": head.seq, "hash": head.hash}
            for head in TAKEN.heads
        ],
    }


def test_what_was_signed_is_read_again() -> None:
    assert read_checkpoint(FILE, KEYS) == TAKEN
    assert FILE.endswith(b"}\n")
    assert second(content()) == FILE


def test_a_file_of_the_first_version_is_read_and_has_no_header_of_its_own() -> None:
    assert read_signed_checkpoint(first(canonical_json(content())), KEYS) == (TAKEN, None)
    checkpoint, header = read_signed_checkpoint(FILE, KEYS)
    assert (checkpoint, header) == (TAKEN, json.loads(FILE)["header"])


def test_a_checkpoint_of_another_installation_is_refused() -> None:
    elsewhere = replace(KEYS, installation=replace(INSTALLATION, id=UUID(int=7)))
    with pytest.raises(UnverifiableError, match="signed for another installation"):
        read_checkpoint(FILE, elsewhere)


def test_the_heads_are_sorted_and_the_root_is_over_each_of_them() -> None:
    assert [head.directive_id.int for head in TAKEN.heads] == [0, 1, 2]
    leaves = [head_leaf(head) for head in (HEADS[1], HEADS[2], HEADS[0])]
    assert f"sha256:{merkle_root(leaves).hex()}" == TAKEN.root


def test_a_log_without_a_row_has_a_checkpoint_too() -> None:
    empty = make_checkpoint((), NOON)
    assert read_checkpoint(sign_checkpoint(empty, KEYS), KEYS) == empty


def test_a_checkpoint_names_the_one_before_by_the_digest_of_its_file() -> None:
    later = make_checkpoint(HEADS, NOON + timedelta(hours=1), previous=FILE)
    assert later.previous == sha256_digest(FILE)
    assert read_checkpoint(sign_checkpoint(later, KEYS), KEYS) == later


def test_the_time_is_the_same_moment_in_any_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert sign_checkpoint(make_checkpoint(HEADS, elsewhere), KEYS) == FILE


def test_a_keyring_that_only_verifies_signs_none() -> None:
    with pytest.raises(MisconfiguredError, match="no key to sign with"):
        sign_checkpoint(TAKEN, replace(KEYS, signing_key=None))


def test_a_checkpoint_of_another_key_is_refused() -> None:
    others = new_keys()
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        read_checkpoint(FILE, others)


def test_a_file_with_any_byte_changed_is_refused() -> None:
    for position in range(len(FILE)):
        for changed in (FILE[position] ^ 1, FILE[position] ^ 0x20, 0):
            data = FILE[:position] + bytes([changed]) + FILE[position + 1 :]
            with pytest.raises(UnverifiableError):
                read_checkpoint(data, KEYS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null\n",
        b"[" * 100_000,
        FILE[:-1],
        FILE + b"\n",
        b" " + FILE,
        b"\xef\xbb\xbf" + FILE,
        FILE[:-10],
        FILE.decode().encode("utf-16"),
        FILE.replace(b'"payload":', b'"payload":"","payload":'),
        FILE.replace(b'"heads":', b'"heads":[],"heads":'),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_a_file_in_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(UnverifiableError):
        read_checkpoint(data, KEYS)


def test_an_envelope_of_another_type_is_refused() -> None:
    data = first(canonical_json(content()), "application/vnd.remit.grant+json")
    with pytest.raises(UnverifiableError, match="not"):
        read_checkpoint(data, KEYS)


HEAD = content()["heads"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"root": "sha256:" + "0" * 64},
        {"tree_size": 2},
        {"taken_at": "2030-01-01T13:00:00.000000+01:00"},
        {"taken_at": "yesterday"},
        {"taken_at": 5},
        {"heads": content()["heads"][::-1]},
        {"heads": content()["heads"][:2]},
        {"heads": None},
        {"heads": ["a"]},
        {"heads": [HEAD | {"seq": "3"}]},
        {"heads": [HEAD | {"seq": "three"}]},
        {"heads": [HEAD | {"seq": True}]},
        {"heads": [HEAD | {"hash": 7}]},
        {"heads": [HEAD | {"directive": HEAD["directive"].replace("-", "")}]},
        {"heads": [HEAD | {"directive": 7}]},
        {"heads": [HEAD | {"more": 1}]},
        {"heads": [{}]},
        {"more": 1},
    ],
    ids=str,
)
def test_even_what_is_signed_must_be_a_checkpoint_and_nothing_more(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(UnverifiableError, match="checkpoint"):
        read_checkpoint(first(canonical_json(content() | changes)), KEYS)
    with pytest.raises(UnverifiableError):
        read_checkpoint(second(content() | changes), KEYS)


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"{}", b"[" * 100_000, b"\xff"])
def test_a_signed_payload_that_says_nothing_is_refused(payload: bytes) -> None:
    with pytest.raises(UnverifiableError, match="content is not that of one"):
        read_checkpoint(first(payload), KEYS)


def test_the_fields_of_a_checkpoint_are_the_ones_that_are_signed() -> None:
    assert {*Checkpoint.__slots__, "tree_size"} == content().keys()


def test_the_time_keeps_its_microseconds() -> None:
    exact = datetime.fromisoformat("2030-01-01T12:00:00.000001Z")
    made = make_checkpoint(HEADS, exact)
    assert read_checkpoint(sign_checkpoint(made, KEYS), KEYS).taken_at == exact
