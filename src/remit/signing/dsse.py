"""The signed envelope: DSSE version 1, one signature an envelope, and its form in JSON. Pure.

Source: the DSSE protocol and envelope, https://github.com/secure-systems-lab/dsse. Remit reads less
than DSSE allows, so that one envelope has one form: exactly one signature, always with the name of
its key, and standard base64 only.
"""

import base64
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError

_ENVELOPE_KEYS = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE_KEYS = frozenset({"keyid", "sig"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signature. Holding one proves nothing: `Keyring.verify` does.

    `payload_type` is a media type, and covered by the raw signature over :func:`pae`. `kid` is only
    a hint until the signature verifies.
    """

    payload_type: str
    payload: bytes
    kid: str
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: the bytes that are signed.

    Each part stands behind its length in bytes, so no two pairs give the same bytes.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_to_json(envelope: Envelope) -> JsonObject:
    """Return the envelope as DSSE's JSON object."""
    return {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"keyid": envelope.kid, "sig": base64.b64encode(envelope.signature).decode()}
        ],
    }


def envelope_from_json(stored: object) -> Envelope:
    """Return the envelope that parsed JSON of any origin is.

    Raises:
        UnverifiableError: a key is missing or unknown, there is not exactly one signature, it does
            not name its key, or base64 is not in its one canonical form.
    """
    envelope = _exactly(stored, _ENVELOPE_KEYS, "envelope")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise UnverifiableError("an envelope has exactly one signature", field="signatures")
    signature = _exactly(signatures[0], _SIGNATURE_KEYS, "signatures.0")
    return Envelope(
        payload_type=_text(envelope["payloadType"], "payloadType"),
        payload=_decoded(envelope["payload"], "payload"),
        kid=_text(signature["keyid"], "signatures.0.keyid"),
        signature=_decoded(signature["sig"], "signatures.0.sig"),
    )


def _exactly(value: object, keys: AbstractSet[str], field: str) -> Mapping[str, object]:
    if not isinstance(value, dict) or value.keys() != keys:
        names = ", ".join(sorted(keys))
        raise UnverifiableError(f"not an object with exactly the keys {names}", field=field)
    return value


def _text(value: object, field: str) -> str:
    # An empty `keyid` is legal DSSE, and verifiers have taken it for "no signature is needed".
    if not isinstance(value, str) or not value or not value.isprintable():
        raise UnverifiableError("not a text of visible characters", field=field)
    return value


def _decoded(value: object, field: str) -> bytes:
    if isinstance(value, str):
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            data = b""
        # The decoder ignores the unused bits at the end: comparing finds them, and all else.
        if base64.b64encode(data).decode() == value:
            return data
    raise UnverifiableError("not canonical base64", field=field)
