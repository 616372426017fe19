"""A policy file that is there only in part: cut off while it was copied, or written over in place.

Half of a policy may be a policy that asks nobody. It never is one: what cannot be the whole of what
somebody wrote is refused, by the door and by the worker.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit import user_files
from remit.errors import InvalidInputError, RemitError, UnavailableError
from remit.operations.gate import proposals
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.policy import config
from remit.policy.config import PolicyConfig, load_policy, parse_policy
from remit.user_files import read_file
from tests.adversarial.attacking import Hands, ended, worker
from tests.support.contents import directive
from tests.support.keys import KEYS
from tests.support.people import AGENT

BUILT_IN = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
CUT = BUILT_IN.partition("# When a person must decide.")[0] + "# When a pers"
"""What a full disk leaves of the built-in policy: all but what asks about staging."""

NEWER = BUILT_IN.replace('version = "1"', 'version = "2"')


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """Return the policy file of the installation, which holds the built-in policy."""
    path = tmp_path / "policy.toml"
    path.write_text(BUILT_IN, encoding="utf-8")
    return path


@pytest.fixture
def hands(engine: sa.Engine, policy_file: Path) -> Iterator[Hands]:
    with worker(engine, PolicySource(policy_file)) as made:
        yield made


def propose(engine: sa.Engine, policy_file: Path, *, scope: str) -> proposals.GateOutcome:
    """Propose something under the policy of a file."""
    authority = Authority(PolicySource(policy_file).current(), KEYS)
    [outcome] = proposals.propose(
        engine, [directive(type="test", scope=scope)], authority, by=AGENT
    )
    return outcome


def test_a_policy_that_was_cut_off_lets_nothing_through_the_gate_and_nothing_run(
    engine: sa.Engine, hands: Hands, policy_file: Path
) -> None:
    approved = propose(engine, policy_file, scope="test").directive.id
    policy_file.write_text(CUT, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"approval\.rules: missing"):
        propose(engine, policy_file, scope="staging")
    with pytest.raises(UnavailableError, match=r"so nothing may run: .* unless it was cut off"):
        hands.work(approved)
    assert ended(engine, approved) == ("approved", None)
    assert hands.effects == []


def test_if_a_file_need_not_be_whole_staging_runs_with_nobody_asked(
    engine: sa.Engine,
    hands: Hands,
    policy_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "left_out", lambda text, document: [])
    policy_file.write_text(CUT, encoding="utf-8")
    victim = propose(engine, policy_file, scope="staging").directive
    assert victim.status == "approved"
    hands.work(victim.id)
    assert ended(engine, victim.id) == ("complete", None)


def states(old: bytes, new: bytes) -> Iterator[bytes]:
    """Yield what a file holds, byte for byte, while it is written over in place."""
    for at in range(len(new)):
        yield new[:at] + old[at:]
    for at in range(len(new)):
        yield new[:at]


def taken(text: bytes) -> PolicyConfig | None:
    """Return the policy that a file would be taken for; None: it is refused."""
    try:
        return parse_policy(text.decode(), source="policy.toml")
    except (RemitError, UnicodeDecodeError):
        return None


SHORT = "\n".join(line for line in BUILT_IN.splitlines() if line and line[0] != "#") + "\n"
SHORT_NEWER = SHORT.replace('version = "1"', 'version = "2"').replace("$50", "$40")


def test_no_state_of_a_file_that_is_written_over_is_half_a_policy() -> None:
    old, new = SHORT.encode(), SHORT_NEWER.encode()
    both = {taken(old), taken(new)}
    assert None not in both
    found = {taken(state) for state in states(old, new)}
    assert found - {None} <= both


def test_if_a_file_need_not_be_whole_many_states_of_it_are_policies_that_nobody_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "left_out", lambda text, document: [])
    old, new = SHORT.encode(), SHORT_NEWER.encode()
    found = {taken(state) for state in states(old, new)} - {None, taken(old), taken(new)}
    assert len(found) > 5
    assert any(policy is not None and not policy.approval.rules for policy in found)


def rewrite(path: Path, stop: threading.Event) -> None:
    """Write one policy and the other over the same file, piece by piece, until told to stop."""
    descriptor = os.open(path, os.O_WRONLY)
    turn = 0
    while not stop.is_set():
        data = (NEWER if turn % 2 else BUILT_IN).encode()
        if turn % 4 > 1:
            os.ftruncate(descriptor, 0)
        for at in range(0, len(data), 97):
            os.pwrite(descriptor, data[at : at + 97], at)
        turn += 1
    os.close(descriptor)


@pytest.fixture
def rewritten(policy_file: Path) -> Iterator[Path]:
    """Return a policy file that is being written over without end."""
    stop = threading.Event()
    writer = threading.Thread(target=rewrite, args=(policy_file, stop))
    writer.start()
    yield policy_file
    stop.set()
    writer.join()


def half(found: PolicyConfig | None) -> bool:
    """Return whether something was taken for a policy that nobody wrote."""
    return found is not None and found.digest not in {
        parse_policy(text, source="policy.toml").digest for text in (BUILT_IN, NEWER)
    }


def test_of_a_file_that_is_written_over_without_end_no_half_is_ever_read(
    rewritten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_files, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(user_files, "_READINGS", 2)
    found = set()
    for _ in range(3000):
        with contextlib.suppress(InvalidInputError):
            found.add(load_policy(rewritten))
    assert not any(map(half, found))


def test_if_it_need_not_be_whole_and_is_read_once_a_half_is_soon_read(
    rewritten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "left_out", lambda text, document: [])
    tries = 100_000
    assert any(half(taken(read_file(rewritten))) for _ in range(tries))
