"""The folder of a host that only executes: its key, and what the installation says of it."""

import json
import stat
from pathlib import Path

import pytest

from remit.base.json_types import JsonObject
from remit.errors import MisconfiguredError
from remit.signing.pem import key_id
from remit.signing.worker_keys import new_worker_key, read_worker_key, write_worker_key


def certified(folder: Path) -> JsonObject:
    private, public, text = new_worker_key()
    said: JsonObject = {"kid": key_id(public), "public_key": text, "label": "a", "envelope": {}}
    write_worker_key(folder, private, said)
    return said


def test_a_key_reads_back_with_its_certificate(tmp_path: Path) -> None:
    said = certified(tmp_path / "host")
    found = read_worker_key(tmp_path / "host")
    assert found.said == said
    assert key_id(found.private.public_key()) == said["kid"]
    assert stat.S_IMODE((tmp_path / "host" / "worker.pem").stat().st_mode) == 0o600


def test_a_folder_that_has_one_gets_no_other(tmp_path: Path) -> None:
    said = certified(tmp_path)
    with pytest.raises(MisconfiguredError, match="is there already: name another folder"):
        certified(tmp_path)
    assert read_worker_key(tmp_path).said == said


@pytest.mark.parametrize("missing", ["worker.pem", "worker.json"])
def test_half_a_folder_is_refused(tmp_path: Path, missing: str) -> None:
    certified(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(MisconfiguredError, match=r"has no worker\.pem and worker\.json"):
        read_worker_key(tmp_path)


@pytest.mark.parametrize("stored", ["{", "[]", json.dumps({"kid": "ed25519:other"}), "[" * 10_000])
def test_a_certificate_of_another_key_is_refused(tmp_path: Path, stored: str) -> None:
    certified(tmp_path)
    (tmp_path / "worker.json").write_text(stored)
    with pytest.raises(MisconfiguredError, match=r"is not about the key in worker\.pem"):
        read_worker_key(tmp_path)
