"""`remit db`: the database's schema."""

from typing import Annotated

from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.options import option
from remit.cli.base.output import write_json, write_line
from remit.cli.commands.tokens import revoke_unless_shown
from remit.cli.views.identities import write_made_token
from remit.identity.names import check_name
from remit.identity.types import Principal

app = Group("The database's schema.")

AdminOption = Annotated[
    str | None,
    option("--admin", "Print a token for this person as an admin, made known if need be.", "NAME"),
]


@app.add()
def upgrade(context: Context, *, admin: AdminOption = None) -> None:
    """Bring the database to the schema of this release.

    The database is that of DATABASE_OWNER_URL, else DATABASE_URL, else of the running stack, which
    `remit up` has already upgraded.
    """
    settings = context.settings
    url = services.owner_database_url(settings)
    if admin is not None:
        # Whatever could refuse the admin is asked before anything is migrated.
        check_name(admin, field="--admin")
        services.keyring(settings)

    from remit.db import migrate

    revision = migrate.upgrade(url)
    if not context.as_json:
        write_line(f"the schema is at revision {revision}")
    if admin is not None:
        _let_in(context, url, admin, revision)
    elif context.as_json:
        write_json({"revision": revision, "admin_token": None})


def _let_in(context: Context, url: str, name: str, revision: str) -> None:
    from remit.operations.identities.directory import recover_admin
    from remit.operations.identities.principals import LONGEST_TOKEN

    engine = context.connect(url, role="remit_app", application_name="remit-cli", pool_size=1)
    keys = services.keys_for(engine, context.settings)
    made = recover_admin(engine, name, valid_for=LONGEST_TOKEN, keys=keys)
    document = {"revision": revision, "admin_token": str(made.token)}
    context.show(document, lambda: write_made_token(made, None))
    owner = Principal(name, "human")
    revoke_unless_shown(engine, made, keys, by=owner, as_json=context.as_json)
