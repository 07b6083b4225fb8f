"""What is run on BioHive, in its /bin/sh. Nothing here holds a secret: a command line is everybody's to read there.

Each script is one line without backslashes or exclamation marks, and so reaches any login shell (bash, zsh, fish, tcsh)
as one quoted word. What ssh runs leads a process group of its own, whose number is the shell's process id.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

RUNS: Final = "$HOME/.cache/mapapp-toolkit/runs"
_PATH: Final = 'PATH="$HOME/.local/bin:$HOME/.cargo/bin:$PATH"; export PATH'

# A guard beside the command: when the connection is gone, the command is asked to end, and then made to. Its own
# output goes nowhere, so that ssh ends with the command and does not wait for the guard.
_GUARD: Final = (
    "s=$PPID; m=$$; kill -0 $s 2>/dev/null || s=$m; "
    '( trap "" INT HUP TERM; while kill -0 $m && kill -0 $s; do sleep 1; done; rm -f "$f"; '
    "for g in {signals}; do kill -0 $m || break; kill -$g -$m || kill -$g $m; n=0; "
    "while kill -0 $m && [ $n -lt 10 ]; do sleep 1; n=$((n+1)); done; done ) >/dev/null 2>&1 </dev/null & "
)


def command(script: str, *words: str) -> str:
    """`script` with `words` as its $1, $2 …, as ssh takes it."""
    return f"exec sh -c {shlex.quote(script)} sh {shlex.join(words)}".rstrip()


def in_home(directory: str) -> str:
    """Goes where commands begin; `directory` may begin with ~/ and is relative to the home directory otherwise."""
    if not directory or directory == "~":
        return 'cd "$HOME" || exit 2'
    name = directory.removeprefix("~/")
    place = shlex.quote(name) if name.startswith("/") else f'"$HOME"/{shlex.quote(name)}'
    return f"cd -- {place} || exit 2"


def watched(
    name: str, directory: str, words: Sequence[str], *, signals: Sequence[str] = ("INT", "TERM", "KILL")
) -> str:
    """Runs `words` under a guard; `name` is what `signal` calls it by later."""
    script = (
        f'{_PATH}; umask 077; mkdir -p "{RUNS}"; f="{RUNS}/$1"; shift; echo $$ >"$f"; umask 022; '
        f"{_GUARD.format(signals=' '.join(signals))}{in_home(directory)}; "
        'exec "$@"'
    )
    return command(script, name, *words)


def signal(name: str, which: str) -> str:
    """Sends a signal to what `watched` runs under that name, and to all its children. Exit code 0 also where it is over
    already."""
    kill = "kill -$2 -$m 2>/dev/null || kill -$2 $m 2>/dev/null"
    script = f'f="{RUNS}/$1"; [ -r "$f" ] || exit 0; m=$(cat "$f"); {kill}; exit 0'
    return command(script, name, which)


def look(directory: str, scratch: str) -> str:
    """Says what is there, a `key=value` a line."""
    places = f"for p in . {shlex.quote(scratch)}; do" if scratch else "for p in .; do"
    script = (
        f"{_PATH}; {in_home(directory)}; "
        'echo "host=$(hostname 2>/dev/null || uname -n)"; echo "system=$(uname -sm)"; echo "directory=$(pwd)"; '
        'u=$(command -v uv) && echo "uv=$u" && echo "uv_version=$(uv --version 2>/dev/null)"; '
        't=$(command -v toolkit) && echo "toolkit=$t" && echo "toolkit_version=$(toolkit --version 2>/dev/null)"; '
        "c=${TOOLKIT_HOME:+$TOOLKIT_HOME/config}; c=${c:-${XDG_CONFIG_HOME:-$HOME/.config}/mapapp-toolkit}; "
        '[ -f "$c/toolkit.toml" ] && echo "configuration=$c/toolkit.toml"; '
        f'{places} df -Pk -- "$p" 2>/dev/null | tail -n 1 | '
        'while read -r a b c d e g; do echo "free=$d $p"; done; done; '
        'command -v jupyter >/dev/null 2>&1 && echo "jupyter=$(command -v jupyter)"; '
        'command -v sbatch >/dev/null 2>&1 && echo "slurm=$(command -v sbatch)"; exit 0'
    )
    return command(script)


def toolkit_version() -> str:
    """Prints `toolkit VERSION`, or nothing."""
    return command(f"{_PATH}; command -v toolkit >/dev/null 2>&1 && toolkit --version 2>/dev/null | tail -n 1; exit 0")


def measure(url: str, most_bytes: int, most_seconds: float) -> str:
    """How much of the object at `url` came, in bytes, and in how many seconds after its first byte."""
    form = "%{http_code} %{size_download} %{time_total} %{time_starttransfer}"
    script = (
        'command -v curl >/dev/null 2>&1 || { echo "no curl"; exit 0; }; '
        f'curl -sS -L -o /dev/null -m {most_seconds:.0f} -r 0-{most_bytes - 1} -w "{form}" -- "$1" 2>&1; exit 0'
    )
    return command(script, url)


def files() -> str:
    """Names the files below each path given, NUL after each record: `pPATH`, then `fBYTES MTIME RELATIVE` for each
    file, or `mPATH` where there is none. GNU find."""
    return (
        'for p in "$@"; do case "$p" in "~/"*) q="$HOME/${p#"~/"}";; *) q="$p";; esac; '
        'if [ -f "$q" ] || [ -d "$q" ]; then printf "p%s\\0" "$q"; find -H "$q" -type f -printf "f%s %T@ %P\\0"; '
        'else printf "m%s\\0" "$p"; fi; done'
    )


def listing(directory: str, paths: Sequence[str]) -> str:
    return command(f"{in_home(directory)}; {files()}", *paths)


def content(directory: str, path: str, offset: int) -> str:
    """The bytes of a file from `offset` on."""
    return command(f'{in_home(directory)}; exec tail -c +$2 -- "$1"', path, str(offset + 1))


def digests(directory: str) -> str:
    """The SHA-256 of each file whose name (NUL after each) stands on stdin: a line each, in their order."""
    return command(f"{in_home(directory)}; exec xargs -0 sha256sum --")
