"""What events tell of filings, memories and policies, held against what was signed of it.

Such an event carries the statement of whoever did it. So nobody without the key can tell of what
never happened, in the installation's own log in particular, where no directive's row bears it out.
`remit.operations.evidence.auditing` calls this; people and tokens are judged by
`remit.audit.identity_rows`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from remit.approval.confirmation import POLICY
from remit.artifacts.statements import FILING
from remit.audit.chain import INSTALLATION, Event
from remit.audit.repository import event_data
from remit.audit.verification import Finding
from remit.base.json_types import JsonObject
from remit.base.wording import quoted
from remit.errors import UnverifiableError
from remit.memory.statements import MEMORY
from remit.signing.keys import Keyring
from remit.signing.statements import claimed, is_earlier, verify_statement

MOST = 1000
"""Most findings of one look at the log; who forges more is found all the same."""


@dataclass
class SignedEvents:
    """Verifies the events that carry a statement, while somebody else reads the log.

    Attributes:
        keys: the keys that are trusted.
        findings: what does not verify, in the order of the log.
    """

    keys: Keyring
    findings: list[Finding] = field(default_factory=list)

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events as they are."""
        for event in events:
            verify = _VERIFY.get(event.type)
            if verify is not None and len(self.findings) < MOST:
                self._judge(event, verify)
            yield event

    def _judge(
        self, event: Event, verify: Callable[[Event, Mapping[str, Any], Keyring], None]
    ) -> None:
        if is_earlier(event.occurred_at, self.keys):
            return
        try:
            verify(event, event_data(event), self.keys)
        except UnverifiableError as error:
            words = f"its event {quoted(event.type)} does not verify: {error.message}"
            self.findings.append(Finding(event.directive_id, event.seq, "unverifiable", words))


def _filing(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    """Verify who filed what an event tells of; in a directive's log it may be other evidence."""
    envelope, uri = _envelope(data.get("envelope")), str(data.get("artifact"))
    evidence = data.get("evidence")
    digest = evidence.get(uri) if isinstance(evidence, dict) else None
    # Where it names the evidence, its row says whether somebody must have signed.
    if envelope is None and digest is not None and event.directive_id != INSTALLATION:
        return
    said: JsonObject = {
        "artifact": uri.rpartition("/")[2],
        "uri": uri,
        "digest": digest if isinstance(digest, str) else None,
        "directive": _about(event),
        "filed_by": event.actor,
        "token": claimed(envelope, "token"),
    }
    verify_statement(FILING, envelope, said, keys)


def _memories(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    told, envelopes = data.get("memories"), data.get("envelopes")
    if not isinstance(told, dict) or not isinstance(envelopes, dict):
        raise UnverifiableError("it was never signed")
    run = data.get("run")
    for memory_id, digest in told.items():
        envelope = _envelope(envelopes.get(memory_id))
        said: JsonObject = {
            "memory": memory_id,
            "digest": str(digest),
            "created_by": event.actor,
            "directive": _about(event),
            "run": run if isinstance(run, str) else None,
            # No event repeats these two.
            "scope": claimed(envelope, "scope"),
            "token": claimed(envelope, "token"),
        }
        verify_statement(MEMORY, envelope, said, keys)


def _policy(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    said: JsonObject = {
        "digest": str(data.get("digest")),
        "version": str(data.get("version")),
        "by": event.actor,
    }
    verify_statement(POLICY, _envelope(data.get("envelope")), said, keys)


_VERIFY: Mapping[str, Callable[[Event, Mapping[str, Any], Keyring], None]] = {
    "artifact.stored": _filing,
    "memory.added": _memories,
    "policy.confirmed": _policy,
}


def _envelope(stored: object) -> JsonObject | None:
    return stored if isinstance(stored, dict) else None


def _about(event: Event) -> str | None:
    about: UUID | None = None if event.directive_id == INSTALLATION else event.directive_id
    return None if about is None else str(about)
