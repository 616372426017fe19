"""The workers of a stack, as its options say: one that acts, and one that thinks.

The supervisor starts and stops them with its servers. The second one runs only where a provider of
language models was chosen, so that the first never loads what it needs, and is not kept by it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from remit.stack.layout import DataDir
from remit.stack.options import StackOptions, WorkerEvent
from remit.stack.processes import Roster
from remit.stack.worker import ACTING, THINKING, WorkerProcess, worker_command


class Workers:
    """What keeps the workers of one stack alive.

    Args:
        data: the stack's directory.
        options: which of them to run, and with what.
        roster: where to record them.
        report: told of each that is ready, or has ended by itself; called from other threads.

    Attributes:
        acting: the keeper of the worker that acts; None runs none.
        thinking: the keeper of the worker for language models; None runs none.
    """

    def __init__(
        self,
        data: DataDir,
        options: StackOptions,
        roster: Roster,
        report: Callable[[WorkerEvent], None],
    ) -> None:
        self._data = data
        self.acting: WorkerProcess | None = None
        self.thinking: WorkerProcess | None = None
        if options.worker:
            argv = options.worker_argv or worker_command(data, acting_settings(data, options))
            self.acting = WorkerProcess(data, argv, roster, report)
        if options.llm_provider is not None:
            argv = options.llm_worker_argv or worker_command(
                data, thinking_settings(data, options), THINKING
            )
            self.thinking = WorkerProcess(data, argv, roster, report, THINKING)

    def start(self) -> None:
        """Start them, and wait for none; what workers of a killed stack left does not count."""
        for kind in (ACTING, THINKING):
            for stale in self._data.workers_ready(kind.command):
                stale.unlink(missing_ok=True)
        for each in self._kept():
            each.start()

    def wait_ready(self, *, timeout_seconds: float) -> None:
        """Wait until each polls its queues, each so long at most.

        Raises:
            MisconfiguredError: one refuses to start; the message is its own.
            UnavailableError: one does not become ready; the message names its log.
        """
        for each in self._kept():
            each.wait_ready(timeout_seconds=timeout_seconds)

    def stop(self) -> None:
        """End them at the same time, and wait for it. Idempotent."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            stopping = [pool.submit(each.stop) for each in self._kept()]
        for each in stopping:
            each.result()

    def _kept(self) -> list[WorkerProcess]:
        return [each for each in (self.acting, self.thinking) if each is not None]


def acting_settings(data: DataDir, options: StackOptions) -> dict[str, str]:
    """Return the variables that the worker which acts gets besides the caller's own."""
    settings = {
        "REMIT_DATA_DIR": str(data.path),
        "REMIT_MODULES": options.modules,
        "TEMPORAL_NAMESPACE": options.temporal_namespace,
    }
    if options.policy_file is not None:
        settings["REMIT_POLICY_FILE"] = str(options.policy_file.absolute())
    return settings


def thinking_settings(data: DataDir, options: StackOptions) -> dict[str, str]:
    """Return the variables that the worker for language models gets besides the caller's own."""
    return {
        "REMIT_DATA_DIR": str(data.path),
        "TEMPORAL_NAMESPACE": options.temporal_namespace,
        "LLM_PROVIDER": options.llm_provider or "noop",
    }
