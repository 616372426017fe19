"""Where the tour's two files are. Imports nothing, for the command that must start fast."""

from pathlib import Path

SCRIPT = "tour.jsonl"
POLICY = "tour-policy.toml"


def shipped(name: str) -> Path:
    """Return the path of one of them: a wheel carries it here, a checkout in `examples/`."""
    beside = Path(__file__).with_name(name)
    return beside if beside.exists() else Path(__file__).parents[3] / "examples" / name
