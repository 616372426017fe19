"""Supervises a stack until it is killed. Run as a script: DATA_DIR STUB_WORKER."""

import sys
import time
from pathlib import Path

from remit.stack.layout import DataDir
from remit.stack.options import StackOptions
from remit.stack.supervisor import Stack


def main() -> None:
    """Start the stack, say so, and wait to be killed."""
    data = DataDir(Path(sys.argv[1]))
    stub = (sys.executable, sys.argv[2], str(data.path))
    options = StackOptions(
        worker_argv=stub, llm_provider="openai", llm_worker_argv=(*stub, "llm-worker")
    )
    with Stack(data, options, on_database_ready=lambda _: None):
        print("up", flush=True)  # noqa: T201 - the test waits for this line
        time.sleep(600)


if __name__ == "__main__":
    main()
