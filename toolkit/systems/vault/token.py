"""The Vault token of this workstation: where it is found, and where a login's token is kept.

As with the `vault` command: `VAULT_TOKEN`, else the token helper that `~/.vault` names (`token_helper = "/path"`, run
with `get`), else `~/.vault-token`. An environment that has a token file of its own never uses any other.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ConfigurationError, Failed, NotAllowed
from toolkit.secret import MASK, Secret, scrub

if TYPE_CHECKING:
    from toolkit.systems.vault.server import Server

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_LOOKS_LIKE_A_TOKEN = re.compile(r"\b(?:hv[sbr]|[sb])\.[A-Za-z0-9_-]{8,}")
_LARGEST = 64 * 1024
_HELPER_SECONDS = 30.0
_SETTING = re.compile(r'"?token_helper"?\s*[=:]\s*(?P<value>"(?:[^"\\\n]|\\.)*")?')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_COMMENT_OR_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LOG_IN = "Log in: `toolkit vault login`."


@dataclass(frozen=True)
class Found:
    """A token and where it came from. `note` is something its owner should know."""

    token: Secret
    source: str
    note: str = ""


def find(server: Server) -> Found:
    """The token to use with `server`. Raises NotAllowed where there is none, ConfigurationError for a broken helper."""
    if server.token_file:
        path = Path(server.token_file)
        return _from_file(path, f"{_short(path)} (vault.token_file)")
    variable = os.environ.get("VAULT_TOKEN", "").strip()
    if variable:
        return Found(_checked(variable, "VAULT_TOKEN"), "VAULT_TOKEN")
    helper = configured_helper()
    if helper is not None:
        said = _run(helper, "get", server).strip()
        source = f"token helper {_short(helper)}"
        if not said:
            raise NotAllowed(f"The {source} holds no Vault token for {server.address}.", hint=_LOG_IN)
        return Found(_checked(said, source), source)
    path = _home() / ".vault-token"
    return _from_file(path, _short(path))


def store(token: Secret, server: Server) -> str:
    """Keep a login's token where `find` looks for it; says where. Raises Failed where it cannot be written."""
    if server.token_file:
        path = Path(server.token_file)
        _write(path, token)
        return _short(path)
    helper = configured_helper()
    if helper is not None:
        _run(helper, "store", server, token)
        return f"token helper {_short(helper)}"
    path = _home() / ".vault-token"
    _write(path, token)
    return _short(path)


def hidden_by_variable(server: Server) -> bool:
    """Does VAULT_TOKEN stand before the place where a login's token is kept?"""
    return not server.token_file and bool(os.environ.get("VAULT_TOKEN", "").strip())


def configured_helper() -> Path | None:
    """The token helper that Vault's own configuration file names (`~/.vault`, or `VAULT_CONFIG_PATH`)."""
    named = os.environ.get("VAULT_CONFIG_PATH")
    file = Path(named).expanduser() if named else _home() / ".vault"
    try:
        text = file.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_short(file)} cannot be read: {_reason(error)}.") from None
    setting = helper_setting(text)
    if setting is None:
        raise ConfigurationError(
            f"{_short(file)} has a token_helper that is not a quoted path.",
            hint='Write it as `token_helper = "/path/to/helper"`.',
        )
    return Path(setting).absolute() if setting else None


def helper_setting(text: str) -> str | None:
    """The value of `token_helper` in HCL (or JSON) text; "" where it is not set, None where it is no quoted string."""
    bare = _COMMENT_OR_STRING.sub(lambda match: match[0] if match[0].startswith('"') else " ", text)
    for match in _SETTING.finditer(bare):
        if not _at_key(bare, match.start()):
            continue
        if match["value"] is None:
            return None
        return _ESCAPE.sub(_unescaped, match["value"][1:-1])
    return ""


def _at_key(text: str, start: int) -> bool:
    """Is `start` where a key can stand: at a line's beginning, or after `{` or `,`?"""
    before = text[:start].rstrip(" \t")
    return not before or before[-1] in "\n{,"


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "uU" and len(code) > 1:
        try:
            return chr(int(code[1:], 16))
        except (ValueError, OverflowError):
            return code
    return {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(code, code)


def _from_file(path: Path, source: str) -> Found:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace").strip()
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        raise NotAllowed(f"There is no Vault token on this machine: {source} does not exist.", hint=_LOG_IN) from None
    except OSError as error:
        raise NotAllowed(
            f"The Vault token in {source} cannot be read: {_reason(error)}.", hint="Check the file's owner and mode."
        ) from None
    if not text:
        raise NotAllowed(f"There is no Vault token on this machine: {source} is empty.", hint=_LOG_IN)
    others = os.name == "posix" and mode & 0o077
    note = f"Other users of this machine can read {_short(path)}: chmod 600 it." if others else ""
    return Found(_checked(text, source), source, note)


def _checked(text: str, source: str) -> Secret:
    """A header cannot carry line breaks, and HTTP libraries quote the whole value when they refuse it."""
    token = Secret(text)
    if not _TOKEN.fullmatch(text):
        raise NotAllowed(f"What {source} holds is not a Vault token: it has spaces or line breaks in it.", hint=_LOG_IN)
    return token


def _run(helper: Path, operation: str, server: Server, token: Secret | None = None) -> str:
    """Run the token helper; the token goes in through stdin. VAULT_ADDR tells it which server is meant."""
    variables = {**os.environ, "VAULT_ADDR": server.address}
    if server.namespace:
        variables["VAULT_NAMESPACE"] = server.namespace
    name = f"The token helper {_short(helper)} (named in ~/.vault)"
    failure = Failed if token else NotAllowed
    try:
        done = subprocess.run(
            [str(helper), operation],
            input=(token.reveal() if token else "").encode(),
            capture_output=True,
            env=variables,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigurationError(f"{name} does not exist.", hint="Correct token_helper in ~/.vault.") from None
    except OSError as error:
        raise ConfigurationError(
            f"{name} cannot be run: {_reason(error)}.", hint="Make it executable, or correct token_helper in ~/.vault."
        ) from None
    except subprocess.TimeoutExpired:
        raise failure(f"{name} did not end within {_HELPER_SECONDS:.0f} s of `{operation}`.") from None
    if done.returncode != 0:
        lines = _LOOKS_LIKE_A_TOKEN.sub(MASK, scrub(done.stderr.decode("utf-8", "replace"))).strip().splitlines()
        said = f": {lines[0][:200].rstrip('.')}." if lines else "."
        raise failure(f"{name} failed at `{operation}` with exit status {done.returncode}{said}")
    return done.stdout.decode("utf-8", "replace")


def _write(path: Path, token: Secret) -> None:
    """Atomically, readable by its owner alone from the first moment. A symbolic link stays one."""
    path = Path(os.path.realpath(path))
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(token.reveal())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105
    except OSError as error:
        if name:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
        raise Failed(
            f"The login worked, but its token could not be kept in {_short(path)}: {_reason(error)}.",
            hint="Make that folder writable and log in again.",
        ) from None


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111


def _short(path: Path) -> str:
    home = str(_home())
    text = str(path)
    return "~" + text.removeprefix(home) if text.startswith(home + os.sep) and len(home) > 1 else text


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__
