"""`remit db`: the database's schema."""

import typer

from remit.cli.options import DataDirOption, JsonOption

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.callback()
def db() -> None:
    """Look after the database's schema."""


@app.command()
def upgrade(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Bring the database to the schema of this release.

    The database is that of DATABASE_URL, else of the running stack, which `remit up` has already
    upgraded.
    """
    from remit.cli.output import write_json, write_line
    from remit.cli.services import database_url, load_settings

    url = database_url(load_settings(data_dir))

    from remit.db import migrate

    revision = migrate.upgrade(url)
    if as_json:
        write_json({"revision": revision})
    else:
        write_line(f"the schema is at revision {revision}")
