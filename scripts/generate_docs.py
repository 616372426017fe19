"""Writes the documents that are made from the code.

These are `.env.example`, `docs/artifacts.md`, `docs/cli.md`, `docs/columns.md`, the Grafana
dashboard, and the table of look-alike characters from Unicode's data.

`make docs` runs it. With `--check` it writes nothing and fails when a document is not current; a
test does so.
"""

import argparse
import sys
from pathlib import Path

import typer.main
from typer.cli import get_docs_for_click

from remit.cli.main import app
from remit.settings import Settings
from scripts.artifact_page import artifact_page
from scripts.columns_page import columns_page
from scripts.confusables_table import lookalikes_module
from scripts.grafana_dashboard import dashboard_text

ROOT = Path(__file__).resolve().parents[1]


def env_example() -> str:
    """Return the text of `.env.example`: each variable with its meaning and default."""
    lines = ["# Every variable that Remit reads. All are optional.", ""]
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else field.default
        lines += [f"# {field.description}", f"# {name.upper()}={default}", ""]
    return "\n".join(lines)


def command_reference() -> str:
    """Return the page about the command line, from the commands' own help."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="remit")
    body = get_docs_for_click(obj=command, ctx=context, name="remit", title="The command line")
    return f"<!-- Written by `make docs` from the commands' own help. -->\n\n{body.strip()}\n"


def generated() -> dict[str, str]:
    """Return each generated document: its path in the repository, and its text."""
    return {
        ".env.example": env_example(),
        "docs/artifacts.md": artifact_page(),
        "docs/cli.md": command_reference(),
        "docs/columns.md": columns_page(),
        "deploy/grafana/remit.json": dashboard_text(),
        "src/remit/confusables/lookalikes.py": lookalikes_module(),
    }


def _is_current(name: str, text: str) -> bool:
    path = ROOT / name
    return path.exists() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str] | None = None) -> int:
    """Write what is not current, or with `--check` say what is not.

    Args:
        arguments: the command line without the program's name; None takes the process's own.

    Returns:
        The exit code: 1 when `--check` finds a document that is not current, else 0.
    """
    parser = argparse.ArgumentParser(prog="generate_docs", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when not current")
    check = parser.parse_args(arguments).check
    stale = {name: text for name, text in generated().items() if not _is_current(name, text)}
    for name, text in stale.items():
        if check:
            print(f"{name} is not current: run `make docs`")
        else:
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"docs: {name} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
