"""What can go wrong, as one family; each member knows its exit code and the next step.

    ToolkitError
    ├── UsageError           2   the command was typed wrongly
    ├── ConfigurationError   2   the configuration is wrong or lacks something
    ├── NotFound             1   what was asked for is not there
    ├── Failed               1   something was carried out, and did not succeed
    ├── Unreachable          3   a system cannot be reached, or answers nonsense
    │   └── TimedOut         3   it did not answer in time
    ├── NotAllowed           4   a system knows us and says no, or does not know us
    ├── Refused              5   one of our own guards says no
    └── Interrupted        130   Ctrl-C

Errors are raised where something is known about them, and shown once: at the faces (cli, tui).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means. Documented in docs/exit-codes.md; scripts rely on it."""

    OK = 0
    FOUND_WRONG = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_ALLOWED = 4
    REFUSED = 5
    BUG = 70
    INTERRUPTED = 130


class ToolkitError(Exception):
    """Something an engineer has to know about.

    `message` says what failed and where, `hint` the next step, `by_hand` the commands with which
    one would look for oneself. None of them ever holds a secret.
    """

    exit_code = ExitCode.FOUND_WRONG

    def __init__(self, message: str, *, hint: str = "", by_hand: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.by_hand = tuple(by_hand)


class UsageError(ToolkitError):
    exit_code = ExitCode.USAGE


class ConfigurationError(ToolkitError):
    exit_code = ExitCode.USAGE


class NotFound(ToolkitError):
    exit_code = ExitCode.FOUND_WRONG


class Failed(ToolkitError):
    exit_code = ExitCode.FOUND_WRONG


class Unreachable(ToolkitError):
    exit_code = ExitCode.UNREACHABLE


class TimedOut(Unreachable):
    pass


class NotAllowed(ToolkitError):
    exit_code = ExitCode.NOT_ALLOWED


class Refused(ToolkitError):
    exit_code = ExitCode.REFUSED


class Interrupted(ToolkitError):
    exit_code = ExitCode.INTERRUPTED
