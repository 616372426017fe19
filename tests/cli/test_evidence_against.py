"""`remit evidence verify` holds a bundle against what whoever verifies it knows besides."""

from pathlib import Path

import pytest

from remit.audit.bundle.file import sign_bundle
from remit.audit.bundle.types import Bundle
from remit.audit.checkpoint import Head, make_checkpoint, sign_checkpoint
from remit.signing.keys import public_pem
from tests.cli.conftest import Remit
from tests.support.keys import INSTALLATION
from tests.unit.audit import bundle_parts, bundles


@pytest.fixture
def public(tmp_path: Path) -> str:
    """Return the file of the public key that signs the bundles of these tests."""
    path = tmp_path / "public.pem"
    path.write_text("".join(public_pem(bundle_parts.KEYS).values()))
    return str(path)


def kept(evidence: Bundle, folder: Path) -> str:
    """Write a bundle, and return its file."""
    path = folder / "bundle.json"
    path.write_bytes(sign_bundle(evidence, bundle_parts.KEYS))
    return str(path)


def test_the_installation_that_is_asked_for_must_be_the_bundle_s(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    file, own = kept(bundles.done(), tmp_path), str(INSTALLATION.id)
    assert remit("evidence", "verify", file, "--key", public, "--installation", own).code == 0
    other = "00000000-0000-0000-0000-000000000007"
    shown = remit("evidence", "verify", file, "--key", public, "--installation", other)
    assert (shown.code, shown.err) == (1, "")
    assert f"✗  installation            it is of {own}, and asked for was {other}" in shown.out


def test_a_checkpoint_that_was_kept_shows_a_log_that_was_rewritten(
    remit: Remit, tmp_path: Path, public: str
) -> None:
    done = bundles.done()
    row = done.events[4]
    for hash_, code in ((row.hash, 0), ("sha256:" + "0" * 64, 1)):
        taken = make_checkpoint([Head(done.directive.id, row.seq, hash_)], row.occurred_at)
        (tmp_path / "c").write_bytes(sign_checkpoint(taken, bundle_parts.KEYS))
        arguments = (kept(done, tmp_path), "--key", public, "--checkpoint", str(tmp_path / "c"))
        shown = remit("evidence", "verify", *arguments)
        assert (shown.code, shown.err) == (code, "")
        assert ("had another hash at the checkpoint" in shown.out) == bool(code)
    (tmp_path / "c").write_bytes(b"{}")
    shown = remit("evidence", "verify", *arguments)
    assert (shown.code, shown.err) == (1, "")
    assert "✗  kept checkpoint" in shown.out
