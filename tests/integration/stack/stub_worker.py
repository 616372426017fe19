"""A worker that only says it is ready: the stack's tests need no other.

Run as a script: DATA_DIR [COMMAND], the command of `remit` that it stands in for.
"""

import os
import signal
import sys
import time
from pathlib import Path

from remit.stack.discovery import wait_for_stack
from remit.stack.layout import DataDir


def main() -> None:
    """Wait for the stack in the directory given, be ready, and end on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    data = DataDir(Path(sys.argv[1]))
    info = wait_for_stack(data.path, timeout_seconds=60)
    print(info.temporal_address, flush=True)  # noqa: T201 - the log is what a test reads
    data.worker_ready(os.getpid(), *sys.argv[2:]).touch()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
