"""Edits to what was signed of runs, each with the verdict it must get."""

from dataclasses import replace
from typing import Any

from remit.audit.bundle.types import Bundle
from remit.execution.statements import ATTEMPT_END
from remit.signing.dsse import envelope_to_json
from tests.unit.audit.bundle_editing import attempt, run, telling, then
from tests.unit.audit.bundle_edits import OTHER, Kind
from tests.unit.audit.bundle_lives import LIVES
from tests.unit.audit.bundle_speakers import EXECUTING


def ended_twice(one: Bundle) -> Bundle:
    """Let two attempts stand that both say they ended the run."""
    last = one.attempts[-1]
    told = telling("run.attempted", {"attempt": 2}, before="run.ended")
    again = (last, replace(last, attempt=2))
    return then(run(attempts=2), told)(replace(one, attempts=again))


def said_besides(of_life: str) -> Any:
    """Return what puts the word about the end of another life's run beside that of an attempt."""

    def edit(one: Bundle) -> Bundle:
        [other] = LIVES[of_life]().ends
        return replace(one, ends=(replace(other, about=one.runs[-1].id),))

    return edit


def certificate(**changes: Any) -> Any:
    """Return what changes the worker's row."""
    return lambda one: replace(one, workers=(replace(one.workers[0], **changes),))


def word(envelope: Any) -> Any:
    """Return what changes what was signed of the attempt."""
    return attempt(envelope=envelope)


def signed_by_worker(content: bytes) -> Any:
    """Return an envelope of an attempt's end with any content, signed by the worker itself."""
    return envelope_to_json(EXECUTING.keys.sign(ATTEMPT_END.payload_type, content))


WORDS: dict[str, Kind] = {
    "run that two attempts ended": (("auto",), ended_twice, {"attempts"}),
    "end by an attempt and by a person": (("auto",), said_besides("settled"), {"attempts"}),
    "end of what has not ended": (("in_doubt",), said_besides("settled"), {"attempts"}),
    "end of an attempt that has not ended": (
        ("in_doubt",),
        word(signed_by_worker(b"{}")),
        {"attempts"},
    ),
    "end that was signed as no statement": (
        ("auto",),
        word(signed_by_worker(b"[]")),
        {"attempts"},
    ),
    "end that is no JSON": (("auto",), word(signed_by_worker(b"\xff")), {"attempts"}),
    "end of another installation": (
        ("auto",),
        word(signed_by_worker(b'{"installation":"x"}')),
        {"attempts"},
    ),
    "end that is no envelope": (("auto",), word({"x": 1}), {"attempts"}),
    "word of a settling that is no envelope": (
        ("settled",),
        lambda one: replace(one, ends=(replace(one.ends[0], envelope={"x": 1}),)),
        {"attempts"},
    ),
    "worker that came later": (
        ("auto",),
        lambda one: certificate(started_at=one.exported_at)(one),
        {"attempts"},
    ),
    "key of a worker": (("auto",), certificate(public_key="x"), {"attempts"}),
    "name of a worker's key": (("auto",), certificate(kid="ed25519:x"), {"attempts"}),
    "attempt of another run": (
        ("auto",),
        lambda one: replace(one, attempts=(*one.attempts, replace(one.attempts[0], run_id=OTHER))),
        {"attempts"},
    ),
}
