"""Where the pieces meet: the command line and the terminal app know nothing of each other; this module starts either.

It also is the last net: every ToolkitError is shown here once, and anything unexpected becomes a report that can be
sent on, never a traceback on the screen.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from toolkit.errors import ExitCode, ToolkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.drills.course import Stage
    from toolkit.environments.preferences import Tui
    from toolkit.systems.connections import Connections
    from toolkit.tui.opener import Choice


def main(arguments: Sequence[str] | None = None) -> None:
    """The `toolkit` command. Always ends with SystemExit and one of `ExitCode`."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Carry out one command line; gives back its exit code."""
    try:
        if _only_the_app(arguments):
            _launch()
        from toolkit.cli import root

        status = root.build(_launch).main(args=arguments, prog_name="toolkit", standalone_mode=False)
        if status == ExitCode.INTERRUPTED:
            return _interrupted()
        return int(status) if isinstance(status, int) else ExitCode.OK
    except ToolkitError as problem:
        from toolkit.cli import diagnostics

        diagnostics.error(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:  # `toolkit … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as problem:  # noqa: BLE001 - the last net
        return _unexpected(problem)


def _only_the_app(arguments: list[str]) -> bool:
    """Whether nothing but the terminal app is asked for, perhaps with an environment and read-only. Then the command
    line, which costs a fifth of the time to the first paint, is not built."""
    rest, environment, read_only = list(arguments), None, False
    while rest:
        word = rest.pop(0)
        if word == "--read-only":
            read_only = True
        elif word.startswith("--env=") and len(word) > len("--env="):
            environment = word.removeprefix("--env=")
        elif word in ("--env", "-e") and rest and not rest[0].startswith("-"):
            environment = rest.pop(0)
        else:
            return False
    if environment is not None:
        os.environ["TOOLKIT_ENV"] = environment
    if read_only:
        os.environ["TOOLKIT_READ_ONLY"] = "1"
    return True


def _interrupted() -> int:
    sys.stderr.write("\nInterrupted.\n")
    return ExitCode.INTERRUPTED


def _unexpected(problem: Exception) -> int:
    """click's own exceptions (wrong usage, exit, abort) know what to say; all else is a bug, and gets a report."""
    if type(problem).__name__ == "Abort":
        return _interrupted()
    if hasattr(problem, "exit_code"):
        if hasattr(problem, "show"):
            problem.show()
            return ExitCode.USAGE
        return int(problem.exit_code)
    from toolkit import crash

    crash.report(problem, sys.argv[1:])
    return ExitCode.BUG


def _launch(environment: str | None = None) -> NoReturn:
    """Open the terminal app on `environment` (None: the one typed, else let the user choose)."""
    import gc

    gc.disable()  # what is made until the first paint stays; looking through it again and again costs a tenth of that
    from toolkit.errors import UsageError
    from toolkit.tui import in_browser

    if not (in_browser.meant() or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise UsageError(
            "The terminal app needs a terminal.", hint="`toolkit --help` lists the commands that work in scripts."
        )
    from toolkit.tui.app import run_app

    sys.exit(run_app(environment or os.environ.get("TOOLKIT_ENV") or None, _Opener()))


class _Opener:
    """What the terminal app may open: the configured environments, else the shipped ones, and the sandbox."""

    def choices(self) -> Sequence[Choice]:
        from toolkit import opening
        from toolkit.environments import loading
        from toolkit.tui.opener import Choice

        loaded = loading.load()
        forced = loaded.settings.read_only or _read_only_variable()
        found = [
            Choice(
                name=name,
                title=environment.title,
                protected=environment.protected,
                read_only=environment.read_only or forced,
                missing=tuple(loading.unset(environment)),
                cache_manager=environment.cache_manager.cluster,
            )
            for name, environment in sorted(loaded.settings.environments.items())
        ]
        sandboxes = [
            Choice(name, title, kind="sandbox", read_only=_read_only_variable())
            for name, title in opening.SANDBOXES.items()
        ]
        return [*found, *sandboxes] if loaded.configured else [*sandboxes, *found]

    def preferences(self) -> Tui:
        from toolkit.environments import loading

        return loading.load().settings.tui

    def open(self, name: str) -> Connections:
        from toolkit import opening

        return opening.choose(name, lambda _: None).connect()

    def stage(self, narrate: Callable[[str], None]) -> Stage:
        from toolkit.stage import SandboxStage

        return SandboxStage(narrate)


def _read_only_variable() -> bool:
    return os.environ.get("TOOLKIT_READ_ONLY", "").lower() in ("1", "true", "yes", "on", "t", "y")


if __name__ == "__main__":
    main()
