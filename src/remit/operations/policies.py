"""The policy in force: its file may change while a process runs, and the next decision sees it."""

from pathlib import Path

from remit.policy.config import PolicyConfig, default_policy, parse_policy, read_policy


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
        self._seen: str | None = None
        self._policy = default_policy()
        self.current()

    def current(self) -> PolicyConfig:
        """Return the policy in force now.

        Raises:
            InvalidInputError: the file no longer holds a policy; the message names the fix.
        """
        if self._path is None:
            return self._policy
        text = read_policy(self._path)
        if text != self._seen:
            self._policy = parse_policy(text, source=str(self._path))
            self._seen = text
        return self._policy
