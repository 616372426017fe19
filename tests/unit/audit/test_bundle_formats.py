"""Formats of bundles: earlier ones still verify as they did, and no field is left out unseen."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import BaseModel

from remit.audit.bundle.checks import check_bundle, not_checkable
from remit.audit.bundle.file import (
    CURRENT,
    FIRST,
    FORMS,
    PAYLOAD_TYPES,
    encode,
    read_bundle,
    sign_bundle,
)
from remit.audit.bundle.types import SignedBundle
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.keys import Keyring, load_public_keys
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_files import signed
from tests.unit.audit.bundle_parts import KEYS
from tests.unit.audit.bundles import OF_ROWS, done

KEPT = Path(__file__).parent / "kept"
"""Bundles that the version before wrote of a real database, with its public key."""


def kept(name: str) -> tuple[SignedBundle, Keyring]:
    keys = load_public_keys([KEPT / "public.pem"])
    return read_bundle((KEPT / name).read_bytes(), keys), keys


@pytest.mark.parametrize("name", ["agreed.json", "failed.json"])
def test_a_bundle_of_the_first_format_verifies_with_the_checks_that_it_had(name: str) -> None:
    bundle, keys = kept(name)
    checks = check_bundle(bundle, keys)
    assert [one.name for one in checks] == list(OF_ROWS)
    assert [one.name for one in checks if not one.holds] == []
    assert bundle.bundle.format == FIRST
    said = not_checkable(bundle.bundle, checks)
    assert any("made before statements named an installation" in one for one in said)


def test_a_bundle_of_the_first_format_does_not_say_of_which_installation_it_is() -> None:
    bundle, keys = kept("agreed.json")
    checks = check_bundle(bundle, keys, installation_id=INSTALLATION.id)
    assert {one.name: one.detail for one in checks if not one.holds} == {
        "installation": f"it names none, and {INSTALLATION.id} was asked for"
    }
    # Where it was made, the keys are pinned since; it still verifies there.
    pinned = replace(keys, pinned=INSTALLATION.id)
    assert all(one.holds for one in check_bundle(bundle, pinned))


def test_what_the_second_format_says_cannot_be_passed_off_as_the_first() -> None:
    second = json.loads(encode(done()))
    assert PAYLOAD_TYPES[FIRST] != PAYLOAD_TYPES[CURRENT]
    with pytest.raises(UnverifiableError, match="another format than was signed"):
        read_bundle(signed(second, kind=PAYLOAD_TYPES[FIRST]), KEYS)
    first = replace(done(), format=FIRST)
    bundle = read_bundle(sign_bundle(first, KEYS), KEYS)
    assert bundle.bundle.installation is None
    # Its statements name an installation, which a bundle of the first format has none of.
    failed = {one.name for one in check_bundle(bundle, KEYS) if not one.holds}
    assert failed >= {"votes", "grants"}


def test_a_bundle_that_names_no_installation_is_refused() -> None:
    content = json.loads(encode(done())) | {"installation": None}
    with pytest.raises(UnverifiableError, match="of which installation"):
        read_bundle(signed(content), KEYS)


def test_the_installation_that_is_meant_must_be_the_bundle_s() -> None:
    bundle = read_bundle(sign_bundle(done(), KEYS), KEYS)
    other = UUID(int=7)
    for keys, wanted, words in (
        (KEYS, other, f"it is of {INSTALLATION.id}, and asked for was {other}"),
        (replace(KEYS, pinned=other), None, f"and these keys are those of {other}"),
    ):
        checks = check_bundle(bundle, keys, installation_id=wanted)
        failed = {one.name: one.detail for one in checks if not one.holds}
        assert list(failed) == ["installation"]
        assert words in failed["installation"]
    assert all(one.holds for one in check_bundle(bundle, KEYS, installation_id=INSTALLATION.id))
    with pytest.raises(MisconfiguredError):
        replace(KEYS, pinned=other).used_for(INSTALLATION)


def test_every_field_of_every_type_is_carried_by_the_current_format() -> None:
    # An artifact's content lies elsewhere; what was signed of it is carried beside it.
    uncarried = [
        f"{kind.__name__}.{name}"
        for kind, carried in FORMS[CURRENT].items()
        for name in (kind.model_fields if issubclass(kind, BaseModel) else kind.__slots__)  # type: ignore[attr-defined]
        if name not in carried
    ]
    assert uncarried == []
