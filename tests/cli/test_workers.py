"""`remit workers` and `remit keys worker`: who executes, and with whose leave."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.errors import MisconfiguredError
from remit.execution.modules.registry import discover_modules
from remit.execution.workers import Terms
from remit.operations.evidence.auditing import verify_log
from remit.operations.runs.workers import announce, end_worker, read_workers
from remit.signing.keys import load_public_keys, public_pem
from remit.signing.worker_keys import read_worker_key
from tests.cli.conftest import Remit, Shown
from tests.support.keys import INSTALLATION, KEYS, new_keys
from tests.support.people import ADMIN

INFOS = discover_modules(installed=()).list_modules()
LONG = Terms(length=timedelta(minutes=5))


def test_the_workers_that_live_are_listed(keeper: Remit, kept_in: sa.Engine) -> None:
    assert keeper("workers").out.startswith("no worker lives: `remit up` starts one by itself")
    worker = announce(kept_in, INFOS, KEYS, LONG)
    ended = announce(kept_in, INFOS, KEYS, LONG)
    end_worker(kept_in, ended.id)
    forgotten = announce(kept_in, INFOS, KEYS, Terms(length=timedelta(0)))
    out = keeper("workers").out
    assert str(worker.id) in out
    assert "holds" in out
    assert str(ended.id) not in out
    assert str(forgotten.id) not in out
    [found] = json.loads(keeper("workers", "--json").out)["workers"]
    assert found["id"] == str(worker.id)
    assert found["certified"] is True
    assert found["modules"] == {one.name: one.digest for one in INFOS}


def test_a_worker_without_the_signing_key_serves_with_a_key_that_was_made_for_it(
    keeper: Remit, kept_in: sa.Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "host-7"
    made = json.loads(keeper("keys", "worker", str(folder), "--json").out)
    public = tmp_path / "public.pem"
    public.write_text("".join(public_pem(KEYS).values()))
    only_verifies = load_public_keys([public]).used_for(INSTALLATION)
    key = read_worker_key(folder)
    assert key.said["label"] == "host-7"
    assert key.said["kid"] == made["kid"]
    worker = announce(kept_in, INFOS, only_verifies, LONG, key)
    assert worker.kid != made["kid"], "each process has a key of its own"
    found = {one.id: one.certified for one in read_workers(kept_in, only_verifies)}
    assert found[worker.id]
    assert verify_log(kept_in, by=ADMIN, keys=only_verifies).findings == ()
    assert not {one.id: one.certified for one in read_workers(kept_in, new_keys())}[worker.id]


def test_a_worker_that_nothing_can_certify_does_not_start(
    keeper: Remit, kept_in: sa.Engine, tmp_path: Path
) -> None:
    public = tmp_path / "public.pem"
    public.write_text("".join(public_pem(KEYS).values()))
    only_verifies = load_public_keys([public]).used_for(INSTALLATION)
    with pytest.raises(MisconfiguredError, match="run `remit keys worker DIR` where the signing"):
        announce(kept_in, INFOS, only_verifies)
    folder = tmp_path / "host"
    assert keeper("keys", "worker", str(folder)).code == 0
    with pytest.raises(MisconfiguredError, match="does not verify: the key"):
        announce(kept_in, INFOS, new_keys(), LONG, read_worker_key(folder))


def test_a_folder_of_a_key_for_workers_is_written_once_and_read_whole(
    keeper: Remit, tmp_path: Path
) -> None:
    folder = tmp_path / "host"
    assert keeper("keys", "worker", str(folder), "--label", "left").code == 0
    again = keeper("keys", "worker", str(folder))
    assert again.code == 2
    assert "is there already: name another folder" in again.err
    assert (folder / "worker.pem").stat().st_mode & 0o077 == 0
    assert read_worker_key(folder).said["label"] == "left"
    for damaged in ("{}", "{", "[]"):
        (folder / "worker.json").write_text(damaged)
        with pytest.raises(MisconfiguredError, match=r"is not about the key in worker\.pem"):
            read_worker_key(folder)
    (folder / "worker.json").unlink()
    with pytest.raises(MisconfiguredError, match=r"has no worker\.pem and worker\.json"):
        read_worker_key(folder)


def test_a_new_key_for_workers_needs_the_signing_key(
    keeper: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    (keys / "verify").mkdir(parents=True, mode=0o700)
    (keys / "verify" / "one.pem").write_text("".join(public_pem(KEYS).values()))
    keys.chmod(0o700)
    monkeypatch.setenv("REMIT_KEYS_DIR", str(keys))
    refused: Shown = keeper("keys", "worker", str(tmp_path / "host"))
    assert refused.code == 2
    assert "there is no key to sign with" in refused.err
    assert not (tmp_path / "host" / "worker.pem").exists()
