"""Writes `examples/notes.jsonl`: what PostgreSQL says of each of its settings.

    python -m scripts.write_notes

It starts the Postgres that Remit brings along over an empty folder, asks it, and ends it. The texts
are PostgreSQL's own, word for word; `examples/README.md` says under which license.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import psycopg

from remit.stack.layout import DataDir
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
NOTES = ROOT / "examples" / "notes.jsonl"

QUERY = 'SELECT category, name, short_desc, extra_desc FROM pg_settings ORDER BY name COLLATE "C"'

Setting = tuple[str, str, str, str | None]
"""Its category, name, description, and what else there is to say; None for nothing."""


def read_settings() -> list[Setting]:
    """Return every setting of a Postgres that was never touched."""
    with tempfile.TemporaryDirectory(prefix="remit-notes-") as folder:
        data = DataDir(Path(folder) / "data")
        data.prepare()
        server = EmbeddedPostgres(data)
        server.start()
        try:
            address = server.url_of(SUPERUSER).replace("+psycopg", "")
            with psycopg.connect(address) as connection:
                return connection.execute(QUERY).fetchall()
        finally:
            server.stop()


def note(setting: Setting) -> str:
    """Return one line of the file."""
    category, name, said, said_besides = setting
    area = re.sub(r"[^a-z0-9]+", "-", category.partition(" / ")[0].lower()).strip("-")
    text = f"{name}: {said}" if said_besides is None else f"{name}: {said} {said_besides}"
    return json.dumps({"scope": f"postgres/{area}", "content": text}, ensure_ascii=False)


def main() -> int:
    """Write the file anew, and return the exit code."""
    lines = [note(setting) for setting in read_settings()]
    NOTES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"notes: {len(lines)} written to {NOTES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
