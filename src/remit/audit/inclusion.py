"""That a checkpoint covers one directive's log, proved without the other logs. Pure.

`remit evidence export --checkpoint` puts the proof into a bundle. It is the path of RFC 9162 from
the directive's head to the root that the checkpoint's header names.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from remit.audit.checkpoint import CHECKPOINT, Checkpoint, Head, head_leaf
from remit.audit.merkle import inclusion_path, root_by_path
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring
from remit.signing.statements import verify_statement


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a log had come so far when a checkpoint was taken.

    Attributes:
        header: the checkpoint's header, as it was signed.
        head: the last row that the log had then.
        position: the place of that head among all, from 0.
        path: "sha256:" and the hash of each node that leads from the head to the root.
    """

    header: JsonObject
    head: Head
    position: int
    path: tuple[str, ...]


def prove_inclusion(
    checkpoint: Checkpoint, header: JsonObject, directive_id: UUID
) -> Inclusion | None:
    """Return the proof for one directive; None: the checkpoint has no row of it.

    Args:
        checkpoint: what a whole file says.
        header: its header, as it was signed.
        directive_id: the directive.
    """
    for position, head in enumerate(checkpoint.heads):
        if head.directive_id == directive_id:
            path = inclusion_path([head_leaf(each) for each in checkpoint.heads], position)
            named = tuple(f"sha256:{node.hex()}" for node in path)
            return Inclusion(header, head, position, named)
    return None


def verify_inclusion(proof: Inclusion, keys: Keyring) -> datetime:
    """Return when the checkpoint was taken, once it is proved that it covers the head.

    Args:
        proof: what a bundle carries.
        keys: the keys that are trusted, used for the bundle's installation.

    Raises:
        UnverifiableError: the header was not signed, or the path does not lead to its root.
    """
    try:
        said = json.loads(envelope_from_json(proof.header).payload)
        taken_at, size = datetime.fromisoformat(said["taken_at"]), int(said["tree_size"])
        stated = {name: said[name] for name in ("taken_at", "tree_size", "root", "previous")}
        path = [bytes.fromhex(node.removeprefix("sha256:")) for node in proof.path]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnverifiableError("the checkpoint's header is not that of one") from error
    verify_statement(CHECKPOINT, proof.header, stated, keys)
    root = root_by_path(head_leaf(proof.head), proof.position, size, path)
    if root is None or stated["root"] != f"sha256:{root.hex()}":
        raise UnverifiableError("the path does not lead to the root that the checkpoint names")
    return taken_at
