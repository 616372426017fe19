"""Where the repository's files are, for the tests that read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "remit"
CODE_FOLDERS = ("src", "tests", "scripts", "bench")

PURE_MODULES = (
    "remit.base.wording",
    "remit.redaction.masking",
    "remit.redaction.tokens",
    "remit.redaction.names",
    "remit.redaction.commands",
    "remit.redaction.assignments",
    "remit.redaction.values",
    "remit.confusables.text",
    "remit.signing.dsse",
    "remit.signing.pem",
    "remit.base.lifecycle",
    "remit.telemetry.ids",
    "remit.telemetry.scrubbing",
    "remit.identity.names",
    "remit.identity.rules",
    "remit.identity.types",
    "remit.base.canonical",
    "remit.directives.lifecycle",
    "remit.base.durations",
    "remit.base.money",
    "remit.policy.config",
    "remit.policy.engine",
    "remit.policy.limits",
    "remit.policy.types",
    "remit.budget.types",
    "remit.approval.rules",
    "remit.execution.lifecycle",
    "remit.audit.chain",
    "remit.audit.checkpoint",
)
"""The rules: they reach no I/O, read no clock, and are covered whole."""


@cache
def kept_files() -> tuple[Path, ...]:
    """Return every file that git tracks or would add, as absolute paths."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the kept Python files under the given folders of the repository."""
    roots = [ROOT / folder for folder in folders]
    return tuple(
        path
        for path in kept_files()
        if path.suffix == ".py" and any(path.is_relative_to(root) for root in roots)
    )


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of one Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def text_of(path: Path) -> str | None:
    """Return a file's text; None when it is not UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def shown(path: Path) -> str:
    """Return a path as the repository's reader writes it."""
    return path.relative_to(ROOT).as_posix()


def module_path(module: str) -> Path:
    """Return the file of a module of the package."""
    return (ROOT / "src" / Path(*module.split("."))).with_suffix(".py")
