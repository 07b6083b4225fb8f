"""The words and numbers that programs write for a severity."""

from __future__ import annotations

from typing import Any, Final

from toolkit.logs.entry import Severity

_WORDS: Final = {
    Severity.DEBUG: ("trace", "debug", "dbug", "verbose", "fine"),
    Severity.INFO: ("info", "information", "informational", "success"),
    Severity.NOTICE: ("notice",),
    Severity.WARNING: ("warning", "warn", "wrn"),
    Severity.ERROR: ("error", "err", "severe", "eror", "exception"),
    Severity.CRITICAL: ("critical", "crit", "fatal", "dpanic", "panic"),
    Severity.ALERT: ("alert",),
    Severity.EMERGENCY: ("emergency", "emerg"),
}
# In lower case, in capitals, and capitalised: looked up as it is written, since this is done for every line.
WORDS: Final[dict[str, Severity]] = {
    form: severity
    for severity, words in _WORDS.items()
    for word in words
    for form in (word, word.upper(), word.title())
}
_ZAP: Final = {-1: Severity.DEBUG, 0: Severity.INFO, 1: Severity.WARNING, 2: Severity.ERROR}
_BUNYAN: Final = {10: Severity.DEBUG, 20: Severity.DEBUG, 30: Severity.INFO, 40: Severity.WARNING, 50: Severity.ERROR}
_PYTHON: Final = {
    10: Severity.DEBUG,
    20: Severity.INFO,
    30: Severity.WARNING,
    40: Severity.ERROR,
    50: Severity.CRITICAL,
}
_CLOUD: Final = {int(severity): severity for severity in Severity}


def severity_of(value: Any, *, python: bool = False) -> Severity | None:
    """What a JSON line's level is; None for what is no level. Numbers from 100 up are Cloud Logging's, from 10 up
    bunyan's and pino's (or Python's `levelno`, where `python` says so), below that zap's."""
    if isinstance(value, str):
        found = WORDS.get(value) or WORDS.get(value.strip().lower()[:20])
        if found is None and value in ("DEFAULT", "NOTSET"):
            return Severity.DEFAULT
        return found
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if value >= 100:
        return _CLOUD.get(value)
    if python:
        return _PYTHON.get(value // 10 * 10)
    if value >= 10:
        return _BUNYAN.get(value // 10 * 10, Severity.CRITICAL)
    return _ZAP.get(value) or (Severity.CRITICAL if 3 <= value <= 5 else None)
