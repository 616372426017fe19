"""`remit db`: the database's schema."""

from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import DataDirOption, JsonOption
from remit.cli.base.output import write_json, write_line
from remit.identity.types import Principal

if TYPE_CHECKING:
    from remit.settings import Settings

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


AdminOption = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="NAME",
        show_default=False,
        help="Print a token for this person as an admin, made known if need be.",
    ),
]


@app.callback()
def db() -> None:
    """Look after the database's schema."""


@app.command()
def upgrade(
    *,
    admin: AdminOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to the schema of this release.

    The database is that of DATABASE_OWNER_URL, else DATABASE_URL, else of the running stack, which
    `remit up` has already upgraded.
    """
    from remit.cli.base.services import keyring, load_settings, owner_database_url
    from remit.identity.names import check_name

    settings = load_settings(data_dir)
    url = owner_database_url(settings)
    if admin is not None:
        # Whatever could refuse the admin is asked before anything is migrated.
        check_name(admin, field="--admin")
        keyring(settings)

    from remit.db import migrate

    revision = migrate.upgrade(url)
    if not as_json:
        write_line(f"the schema is at revision {revision}")
    if admin is not None:
        _let_in(url, admin, settings, revision, as_json=as_json)
    elif as_json:
        write_json({"revision": revision, "admin_token": None})


def _let_in(url: str, name: str, settings: "Settings", revision: str, *, as_json: bool) -> None:
    """Make a token for an admin and print it; one that cannot be shown is revoked."""
    from remit.cli.base.services import keys_for
    from remit.cli.commands.token import revoke_unless_shown, write_made_token
    from remit.db.engine import create_database_engine
    from remit.operations.identities.directory import recover_admin
    from remit.operations.identities.principals import LONGEST_TOKEN

    engine = create_database_engine(
        url, role="remit_app", application_name="remit-cli", pool_size=1
    )
    try:
        keys = keys_for(engine, settings)
        made = recover_admin(engine, name, valid_for=LONGEST_TOKEN, keys=keys)
        if as_json:
            write_json({"revision": revision, "admin_token": str(made.token)})
        else:
            write_made_token(made, None, as_json=False)
        owner = Principal(name, "human")
        revoke_unless_shown(engine, made, keys, by=owner, as_json=as_json)
    finally:
        engine.dispose()
