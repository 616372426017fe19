"""A bundle is one signed file in one form: whatever else it holds, it is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from remit.audit.bundle.file import (
    CURRENT,
    MAX_BUNDLE_BYTES,
    PAYLOAD_TYPES,
    encode,
    read_bundle,
    sign_bundle,
)
from remit.audit.chain import carried
from remit.audit.checkpoint import stamp
from remit.base.canonical import canonical_json
from remit.errors import ConflictError, MisconfiguredError, UnverifiableError
from remit.signing.dsse import envelope_to_json
from remit.signing.keys import Keyring, load_public_keys, public_pem
from tests.unit.audit.bundle_files import leaves, signed
from tests.unit.audit.bundle_parts import KEYS, STRANGERS
from tests.unit.audit.bundles import blocked, done, ready

EVIDENCE = done()
FILE = sign_bundle(EVIDENCE, KEYS)
SMALL = sign_bundle(blocked(), KEYS)
CONTENT: dict[str, Any] = json.loads(encode(EVIDENCE))


def unread(data: bytes, keys: Keyring = KEYS) -> bool:
    """Return whether a file is refused."""
    try:
        read_bundle(data, keys)
    except UnverifiableError:
        return True
    return False


def test_what_was_signed_is_read_again() -> None:
    bundle = read_bundle(FILE, KEYS)
    assert bundle.bundle == EVIDENCE
    assert encode(bundle.bundle) == bundle.envelope.payload
    assert bundle.envelope.kid == KEYS.kid
    assert FILE.endswith(b"}\n")
    assert signed(CONTENT) == FILE


def test_the_public_key_is_all_that_reading_needs(tmp_path: Any) -> None:
    (tmp_path / "public.pem").write_text("".join(public_pem(KEYS).values()))
    assert read_bundle(FILE, load_public_keys([tmp_path / "public.pem"])).bundle == EVIDENCE


@pytest.mark.untraced
@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_no_byte_can_change_unseen(mask: int) -> None:
    survivors = []
    for position in range(len(SMALL)):
        data = bytearray(SMALL)
        data[position] ^= mask
        if not unread(bytes(data)):
            survivors.append(position)
    assert survivors == []
    assert not unread(SMALL)


@pytest.mark.untraced
def test_no_bit_around_the_content_can_change_unseen() -> None:
    begin, size = FILE.index(b'"payload":"') + len(b'"payload":"'), len(FILE)
    end = FILE.index(b'"', begin)
    around = [*range(begin + 8), *range(end - 8, size)]
    for position in around:
        for bit in range(8):
            data = bytearray(FILE)
            data[position] ^= 1 << bit
            assert unread(bytes(data)), (position, bit)


@pytest.mark.untraced
def test_no_byte_can_be_added_taken_away_or_moved_unseen() -> None:
    step = 7
    for position in range(0, len(SMALL), step):
        head, tail = SMALL[:position], SMALL[position:]
        assert unread(head)
        assert unread(head + tail[1:])
        assert unread(head + b" " + tail)
        assert unread(head + tail[:1] + tail)
    assert unread(SMALL + b"\n")
    assert unread(SMALL[:-1])
    assert unread(SMALL + SMALL)


def changed(content: Any, path: tuple[Any, ...]) -> Any:
    """Return a copy of the content with another value at a path."""
    copy = json.loads(json.dumps(content))
    at = copy
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    at[path[-1]] = f"{old}x" if isinstance(old, str) else 7 if old != 7 else 8
    return copy


@pytest.mark.untraced
def test_no_field_can_be_changed_by_whoever_has_no_key_that_is_trusted() -> None:
    paths = [*leaves(CONTENT)]
    assert len(paths) > 250
    for path in paths:
        content = changed(CONTENT, path)
        assert unread(signed(content, STRANGERS)), path
        # A forger may also claim the kid of the key that is trusted.
        claimed = replace(
            STRANGERS.sign(PAYLOAD_TYPES[CURRENT], canonical_json(content)), kid=str(KEYS.kid)
        )
        assert unread(canonical_json(envelope_to_json(claimed)) + b"\n"), path


def test_what_a_stranger_signed_is_read_by_who_trusts_the_stranger() -> None:
    # The control: it is the key that was refused, and not the content.
    assert read_bundle(signed(CONTENT, STRANGERS), STRANGERS).bundle == EVIDENCE


@pytest.mark.parametrize("place", ["", "directive", "requests.0.request", "events.0", "runs.0"])
def test_content_with_an_unknown_or_a_missing_field_is_refused(place: str) -> None:
    for name in (None, "unknown"):
        copy = json.loads(json.dumps(CONTENT))
        at = copy
        for key in filter(None, place.split(".")):
            at = at[int(key) if key.isdigit() else key]
        if name is None:
            at.pop(min(at))
        else:
            at[name] = 1
        assert unread(signed(copy)), name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        canonical_json(CONTENT) + b" ",
        canonical_json(CONTENT).replace(b'"format":', b'"format":"x","format":'),
        canonical_json(CONTENT).replace(b"remit.evidence/2", b"remit.evidence/3"),
        canonical_json(CONTENT).replace(b'"n":0.5', b'"n":NaN'),
        canonical_json(CONTENT).replace(b'"n":0.5', b'"n":' + b"9" * 5000),
        canonical_json(CONTENT).replace(b'"n":0.5', b'"n":0.50'),
        canonical_json(CONTENT).replace(
            b'"2030-01-01T12:01:00.000000Z"', b'"2030-01-01T12:01:00Z"'
        ),
        canonical_json(CONTENT).replace(
            b'"2030-01-01T12:01:00.000000Z"', b'"0001-01-01T00:00:00.000000+14:00"'
        ),
        canonical_json(CONTENT).replace(b'"attempts":1', b'"attempts":true'),
    ],
    ids=lambda content: content[:8].decode(errors="replace"),
)
def test_signed_content_in_another_form_is_refused(content: bytes) -> None:
    assert content != canonical_json(CONTENT)
    with pytest.raises(UnverifiableError):
        read_bundle(signed(content), KEYS)


def test_an_envelope_of_another_type_is_refused() -> None:
    with pytest.raises(UnverifiableError, match="the envelope holds"):
        read_bundle(signed(CONTENT, kind="application/vnd.remit.grant+json"), KEYS)


def test_a_file_in_another_form_is_refused_though_its_signature_is_good() -> None:
    spaced = json.dumps(json.loads(FILE)).encode() + b"\n"
    with pytest.raises(UnverifiableError, match="not as Remit writes one"):
        read_bundle(spaced, KEYS)


def test_a_file_over_the_limit_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("remit.audit.bundle.file.json.loads", None)
    with pytest.raises(UnverifiableError, match=f"at most {MAX_BUNDLE_BYTES} bytes"):
        read_bundle(b" " * (MAX_BUNDLE_BYTES + 1), KEYS)


def test_evidence_over_the_limit_makes_no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.audit.bundle.file.MAX_BUNDLE_BYTES", len(FILE))
    assert sign_bundle(EVIDENCE, KEYS) == FILE
    monkeypatch.setattr("remit.audit.bundle.file.MAX_BUNDLE_BYTES", len(FILE) - 1)
    with pytest.raises(ConflictError, match=f"makes a bundle of {len(FILE)} bytes"):
        sign_bundle(EVIDENCE, KEYS)


def test_without_a_key_to_sign_with_no_bundle_is_made() -> None:
    with pytest.raises(MisconfiguredError, match="no key to sign with"):
        sign_bundle(EVIDENCE, load_keyring_that_only_verifies())


def load_keyring_that_only_verifies() -> Keyring:
    return Keyring(KEYS.trusted)


def test_what_no_reader_would_take_makes_no_bundle() -> None:
    grant = replace(EVIDENCE.grants[0], votes=(7,))  # type: ignore[arg-type]
    with pytest.raises(ConflictError, match=r"at grants\.0\.votes\.0"):
        sign_bundle(replace(EVIDENCE, grants=(grant,)), KEYS)
    with pytest.raises(ConflictError, match="no canonical JSON"):
        sign_bundle(replace(EVIDENCE, exported_by="\ud800"), KEYS)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"n": 1e300, "m": [10**20, 0.1]}, {"n": 1e300, "m": [1e20, 0.1]}),
        ({"n": 10**300}, {"n": 1e300}),
        ({}, {}),
        ({"n": float("inf")}, {"unreadable": '{"n": Infinity}'}),
        ({"n": 10**400}, {"unreadable": f'{{"n": 1{"0" * 400}}}'}),
        ("text", {"unreadable": '"text"'}),
        (None, {"unreadable": "null"}),
        (nested(100_000), {"unreadable": "nested too deeply"}),
    ],
    ids=["large", "digits", "nothing", "infinite", "vast", "text", "null", "deep"],
)
def test_json_of_the_database_is_carried_so_that_it_can_be_read_again(
    value: object, expected: dict[str, Any]
) -> None:
    found = carried(value)
    assert found == expected
    assert carried(json.loads(canonical_json(found))) == found
    evidence = ready()
    with_it = replace(evidence, artifacts=(replace(evidence.artifacts[0], metadata=found),))
    assert read_bundle(sign_bundle(with_it, KEYS), KEYS).bundle == with_it


def test_a_moment_is_written_in_utc_to_the_microsecond() -> None:
    there = timezone(timedelta(hours=2))
    assert stamp(datetime(2030, 1, 1, 2, tzinfo=there)) == "2030-01-01T00:00:00.000000Z"
    assert stamp(datetime(1, 1, 1, 0, 0, 0, 7, tzinfo=UTC)) == "0001-01-01T00:00:00.000007Z"
