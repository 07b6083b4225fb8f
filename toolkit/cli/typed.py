"""The words of the command that is being run, and their way into the record of a drill that is going on.

Words are the command's own ("groups list"). Of what is given to it two things are kept: `--dry-run`, and a runbook's
name, where there is such a runbook. Without a drill nothing is kept, and nothing is imported for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from toolkit.errors import ExitCode

_KEY = "toolkit.words"
_NOT_NOTED = ("drill", "demo")


def word(ctx: Any, args: Sequence[str]) -> None:
    """A group resolves the command that `args` begin with: one more word. Asking for help is no command."""
    words: list[str] = ctx.meta.setdefault(_KEY, [])
    inner = bool(words)
    given = args[: args.index("--")] if "--" in args else args
    if {"--help", "-h"} & set(given):
        words.append("--help")
    elif args:
        words.append(args[0])
        if inner and "--dry-run" in given:
            words.append("--dry-run")
        if words == ["runbook", "run"]:
            words += [name for name in args[1:] if _is_runbook(name)][:1]


@contextmanager
def noted(ctx: Any) -> Iterator[None]:
    """Around the run of a command: its words and its exit code go to the drill, if there is one."""
    code = int(ExitCode.OK)
    try:
        yield
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
        raise
    except Exception as problem:
        code = int(getattr(problem, "exit_code", ExitCode.BUG))
        raise
    finally:
        words = ctx.meta.get(_KEY, [])
        if words and words[0] not in _NOT_NOTED and "--help" not in words and _drill_goes_on():
            from toolkit.drills import store

            store.note(" ".join(words), code)


def _is_runbook(name: str) -> bool:
    if name.startswith("-") or not _drill_goes_on():
        return False
    from toolkit.errors import ToolkitError
    from toolkit.walkthrough.library import library

    try:
        return name in library().files()
    except ToolkitError:
        return False


def _drill_goes_on() -> bool:
    from toolkit import paths

    return (paths.state() / "drill.json").exists()
