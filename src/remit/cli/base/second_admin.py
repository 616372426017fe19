"""What a command does in place of its deed where a second admin is asked for it."""

from typing import TYPE_CHECKING

from remit.cli.base.output import write_json, write_line

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.identity.types import Principal
    from remit.operations.identities.four_eyes import Change
    from remit.signing.keys import Keyring


def propose_if_asked(
    engine: "sa.Engine", change: "Change", *, by: "Principal", keys: "Keyring", as_json: bool
) -> bool:
    """Propose a change and say so, where a second admin is asked for it; return whether one is."""
    from remit.operations.identities import four_eyes as eyes

    if not eyes.is_asked(engine, change, keys):
        return False
    proposal = eyes.propose(engine, change, by=by, keys=keys)
    if as_json:
        write_json({"proposal": proposal})
    else:
        write_line(f"proposed: another admin runs `remit principal confirm {proposal}`")
    return True
