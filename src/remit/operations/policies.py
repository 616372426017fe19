"""The policy in force: its file may change while a process runs, and the next decision sees it."""

from pathlib import Path

from remit.policy.config import PolicyConfig, default_policy, load_policy


class PolicySource:
    """Hands out the policy in force.

    A policy file is read again when its size or time of change differs, so that whoever decides
    under an old policy cannot go on for longer than one decision. A file that has become unreadable
    is an error and never the old policy: what is uncertain fails closed.
    """

    def __init__(self, path: Path | None) -> None:
        """Name the policy file; None means the built-in policy.

        Raises:
            InvalidInputError: the file holds no policy.
        """
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._policy = default_policy()
        self.current()

    def current(self) -> PolicyConfig:
        """Return the policy in force now.

        Raises:
            InvalidInputError: the file no longer holds a policy; the message names the fix.
        """
        if self._path is None:
            return self._policy
        mark = self._mark(self._path)
        if mark is None or mark != self._seen:
            self._policy = load_policy(self._path)
            self._seen = mark
        return self._policy

    @staticmethod
    def _mark(path: Path) -> tuple[int, int] | None:
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
