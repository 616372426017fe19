"""Installs Remit as a stranger would, and tries what came of it.

`make wheel`, `make pythons` and `make lock-drift` call it, and so does continuous integration. It
writes into folders of its own: a temporary one, and `.venv-3.x` beside `.venv`.
"""

import argparse
import difflib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.prefix) / "bin" / "uv"
LOCKS = ("setup", "runtime", "dev")

OTHER_PYTHONS = ("3.12", "3.13", "3.14")

OLDEST_PIP = "22.3"
"""What `ensurepip` of Python 3.11.0 installs: no supported Python comes with an older one."""


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command whose output is shown; what fails ends the script with its exit code."""
    result = subprocess.run([str(each) for each in command], cwd=cwd, check=False)
    if result.returncode:
        print(f"failed: {' '.join(str(each) for each in command)}", file=sys.stderr)
        sys.exit(result.returncode)


def make_environment(folder: Path, python: str | Path, *locks: str) -> Path:
    """Prepare an environment from the locks; return its `bin`."""
    run("scripts/environment.sh", folder, python, *(f"requirements/{each}.txt" for each in locks))
    return folder / "bin"


def try_wheel() -> None:
    """Build sdist and wheel, install the wheel without the checkout, and run the tour from it."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    # The wheel is built from the sdist, so what is missing there shows.
    run(UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="remit-wheel-") as name:
        elsewhere = Path(name)
        binaries = make_environment(elsewhere / "env", sys.executable, "runtime")
        install = (UV, "pip", "install", "--quiet", "--python", binaries / "python")
        run(*install, "--no-deps", wheel)
        found = f"import remit; assert remit.__file__.startswith({name!r}), remit.__file__"
        run(binaries / "python", "-c", found, cwd=elsewhere)
        run(binaries / "remit", "demo", cwd=elsewhere)
    print(f"wheel: {wheel.name} and its sdist, installed without the checkout, drive the tour")


def try_pythons() -> None:
    """Run the unit tests and the tour on each other Python that this machine has."""
    for version in OTHER_PYTHONS:
        python = find_python(version)
        if python is None:
            print(f"Python {version}: not on this machine, not tried")
            continue
        binaries = make_environment(ROOT / f".venv-{version}", python, "dev")
        install = (UV, "pip", "install", "--quiet", "--python", binaries / "python")
        run(*install, "--no-build-isolation", "--no-deps", "--editable", ".")
        run(binaries / "python", "-m", "pytest", "-q", "-n", "2", "tests/unit")
        run(binaries / "remit", "demo")
        print(f"Python {version}: unit tests and tour pass")


def find_python(version: str) -> str | None:
    """Return an interpreter of that version: one on the path that starts, else one of pyenv's."""
    candidates = [f"python{version}"]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        installed = Path(root.stdout.strip(), "versions").glob(f"{version}.*/bin/python")
        candidates += [str(each) for each in sorted(installed)]
    for candidate in filter(shutil.which, candidates):
        usable = [candidate, "-c", "import venv, ensurepip"]
        if subprocess.run(usable, capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def try_lock() -> None:
    """Show that the locks are what `pyproject.toml` asks for, and that old pip installs them."""
    with tempfile.TemporaryDirectory(prefix="remit-lock-") as name:
        folder = Path(name)
        python = folder / "env" / "bin" / "python"
        run(sys.executable, "-m", "venv", folder / "env")
        pip = (python, "-m", "pip")
        reached = [str(each) for each in (*pip, "download", "-qq", "--no-deps", "-d", name)]
        if subprocess.run([*reached, f"pip=={OLDEST_PIP}"], check=False).returncode:
            print("lock-drift: no package index can be reached, nothing is checked")
            return
        compare_locks(folder)
        run(*pip, "install", "-qq", f"pip=={OLDEST_PIP}")
        asked = [f"--requirement=requirements/{each}.txt" for each in ("setup", "dev")]
        run(*pip, "install", "-qq", "--require-hashes", *asked)
    print(f"lock-drift: the locks are current, and pip {OLDEST_PIP} installs them")


def compare_locks(folder: Path) -> None:
    """End the script if `make lock` would write other locks than there are; keeps their pins."""
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder)
    # The stamp says that there is an environment, so that make prepares none.
    (folder / ".venv").symlink_to(sys.prefix)
    # Without what a make that calls this hands on: its jobs, and its options.
    make = ("env", "-u", "MAKEFLAGS", "make", "--silent", "--assume-old=.venv/.runtime")
    run(*make, "lock", cwd=folder)
    for lock in LOCKS:
        kept, made = (
            (each / f"requirements/{lock}.txt").read_text(encoding="utf-8").splitlines()
            for each in (ROOT, folder)
        )
        if kept != made:
            print(*difflib.unified_diff(kept, made, "kept", "asked for", n=0), sep="\n")
            sys.exit(f"lock-drift: requirements/{lock}.txt is not current; run `make lock`")


TRIALS: Mapping[str, Callable[[], None]] = {
    "wheel": try_wheel,
    "pythons": try_pythons,
    "lock": try_lock,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one trial."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trial", choices=TRIALS)
    TRIALS[parser.parse_args(arguments).trial]()


if __name__ == "__main__":
    main()
