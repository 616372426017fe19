"""From a directive to its trace, with nothing stored and nothing sent along. Pure.

A directive's trace id is the 128 bits of its own id, and its root span's id follows from it. So
whoever knows the directive (who proposes it, who votes, the worker, the sweep) adds to one trace.
"""

from hashlib import sha256
from uuid import UUID

_ROOT = b"remit root span:"


def trace_id_of(directive_id: UUID) -> int:
    """Return the directive's trace id, 128 bits; 0, which names no trace, only for the nil UUID."""
    return directive_id.int


def root_span_id_of(directive_id: UUID) -> int:
    """Return the id of the root span of the directive's trace, 64 bits and never 0."""
    digest = sha256(_ROOT + directive_id.bytes).digest()
    return int.from_bytes(digest[:8]) or 1


def trace_id_text(directive_id: UUID) -> str:
    """Return the directive's trace id as every tracing tool writes it: 32 hexadecimal digits."""
    return directive_id.hex
