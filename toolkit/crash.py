"""A bug in the toolkit: the traceback goes to a file (scrubbed), the terminal gets one line."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

from toolkit import __version__, paths
from toolkit.secret import scrub


def report(problem: BaseException, arguments: Sequence[str]) -> None:
    """Write the report and say on stderr where it is."""
    where = save(problem, arguments)
    summary = scrub(f"{type(problem).__name__}: {problem}")
    sys.stderr.write(f"error: a bug in the toolkit: {summary}\n next: {where}\n")


def save(problem: BaseException, arguments: Sequence[str]) -> str:
    """Write the report; gives back the sentence that says where it is."""
    now = datetime.now(UTC)
    lines = [
        f"toolkit {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"at {now.isoformat(timespec='seconds')}",
        f"command: toolkit {' '.join(arguments)}",
        "",
        *traceback.format_exception(problem),
    ]
    text = scrub("\n".join(line.rstrip("\n") for line in lines)) + "\n"
    try:
        file = paths.state() / f"crash-{now:%Y%m%dT%H%M%S%f}.txt"
        file.write_text(text, "utf-8")
    except OSError as error:
        return f"(The report could not be written: {error.strerror}.)"
    return f"The report is in {file}; please send it to the toolkit's maintainers."
