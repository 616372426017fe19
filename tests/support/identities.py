"""What is wrong with who acts, by the rows and the installation's own log."""

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.identity_rows import compare_identity
from remit.audit.repository import list_events
from remit.audit.verification import Finding
from remit.db.session import snapshot
from remit.identity.invitation_repository import list_invitations
from remit.identity.repository import list_principals
from remit.identity.token_repository import list_kept_tokens
from tests.support.keys import KEYS


def discrepancies(engine: sa.Engine) -> list[Finding]:
    """Return what an audit finds of people, tokens and invitations."""
    with snapshot(engine) as connection:
        found = compare_identity(
            list_events(connection, INSTALLATION),
            KEYS,
            principals=list_principals(connection),
            tokens=list_kept_tokens(connection),
            invitations=list_invitations(connection),
        )
        return list(found)


def faults(engine: sa.Engine) -> set[str]:
    """Return the kinds of what is wrong."""
    return {one.fault for one in discrepancies(engine)}
