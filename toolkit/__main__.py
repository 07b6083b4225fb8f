"""Where the pieces meet: the command line and the terminal app know nothing of each other; this module starts either.

It also is the last net: every ToolkitError is shown here once, and anything unexpected becomes a report that can be
sent on, never a traceback on the screen.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from toolkit.errors import ExitCode, ToolkitError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """The `toolkit` command. Always ends with SystemExit and one of `ExitCode`."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Carry out one command line; gives back its exit code."""
    from toolkit.cli import root

    try:
        status = root.build(_launch).main(args=arguments, prog_name="toolkit", standalone_mode=False)
        return int(status) if isinstance(status, int) else ExitCode.OK
    except ToolkitError as problem:
        from toolkit.cli import diagnostics

        diagnostics.error(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `toolkit … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as problem:  # noqa: BLE001 - the last net
        return _unexpected(problem)


def _unexpected(problem: Exception) -> int:
    """click's own exceptions (wrong usage, exit, abort) know what to say; all else is a bug, and gets a report."""
    if hasattr(problem, "exit_code"):
        if hasattr(problem, "show"):
            problem.show()
            return ExitCode.USAGE
        return int(problem.exit_code)
    if type(problem).__name__ == "Abort":
        sys.stderr.write("\nInterrupted.\n")
        return ExitCode.INTERRUPTED
    from toolkit import crash

    crash.report(problem, sys.argv[1:])
    return ExitCode.BUG


def _launch() -> None:
    from toolkit.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The terminal app needs a terminal.", hint="`toolkit --help` lists the commands that work in scripts."
        )
    from toolkit.tui.app import run_app

    run_app(os.environ.get("TOOLKIT_ENV"))


if __name__ == "__main__":
    main()
