"""What the benchmark database's refusals mean. From a workstation most of them mean one thing: configome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from toolkit.errors import ConfigurationError, Failed, NotAllowed, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub

if TYPE_CHECKING:
    from toolkit.environments.side_panel import BenchmarkDb as Part
    from toolkit.environments.side_panel import WatchedTable

_LONGEST: Final = 300
NO_LOCAL_ACCESS: Final = "There is no local access to it without a configome change."


def not_let_in(error: Exception, part: Part, by_hand: str) -> ToolkitError:
    """No connection, or one that was lost."""
    where, words, hand = f"The benchmark database at {part.address}", _words(error), (by_hand,)
    lower = words.lower()
    if "password authentication failed" in lower or "no password supplied" in lower:
        return NotAllowed(
            f"{where} does not take the account: {words}.",
            hint="Was its password changed? Vault's copy is at benchmark_db.vault_path.",
            by_hand=hand,
        )
    if "database" in lower and "does not exist" in lower:
        return ConfigurationError(
            f"{where} has no such database: {words}.", hint="Correct benchmark_db.database.", by_hand=hand
        )
    if "certificate" in lower or "does not support ssl" in lower:
        return Unreachable(
            f"{where} shows a certificate that is not trusted, or speaks no TLS: {words}.",
            hint="benchmark_db.ca_file names the authority that signed it, benchmark_db.sslmode what is asked for.",
            by_hand=hand,
        )
    if "invalid response to" in lower or "lost synchronization" in lower or "unsupported frontend protocol" in lower:
        return Unreachable(
            f"What answers at {part.address} is not PostgreSQL: {words}.",
            hint="Correct benchmark_db.address; does a gateway stand before it?",
            by_hand=hand,
        )
    key = f" ({part.configome_key})" if part.configome_key else ""
    hint = (
        f"Ask those who own configome for the change{key} that lets this workstation in; until then let somebody look "
        "who has access, from inside the cluster."
    )
    if "no pg_hba.conf entry" in lower:
        return NotAllowed(f"{where} lets nobody in from here: {words}. {NO_LOCAL_ACCESS}", hint=hint, by_hand=hand)
    if "timeout" in lower or "timed out" in lower:
        return TimedOut(
            f"{where} did not answer within {part.timeout_seconds:g} s. {NO_LOCAL_ACCESS}", hint=hint, by_hand=hand
        )
    return Unreachable(f"{where} cannot be reached: {words}. {NO_LOCAL_ACCESS}", hint=hint, by_hand=hand)


def misread(error: Exception, table: WatchedTable, part: Part, by_hand: str) -> ToolkitError:
    """The connection stands, and the table does not say."""
    code = getattr(error, "sqlstate", None)
    where, words, hand = f"{table.table} in {part.database}", _words(error), (by_hand,)
    if code == "57014":
        return TimedOut(
            f"{where} did not say within {part.timeout_seconds:g} s which row is its newest.",
            hint=f"Is there an index on {table.column}? benchmark_db.timeout_seconds is how long is waited.",
            by_hand=hand,
        )
    if code == "42501":
        return NotAllowed(f"The account may not read {where}: {words}.", hint="It needs SELECT on it.", by_hand=hand)
    if code in ("42P01", "42703", "3F000") or isinstance(error, TypeError):
        return ConfigurationError(
            f"{where} cannot be asked for {table.column}: {words}.", hint="Correct benchmark_db.tables.", by_hand=hand
        )
    return Failed(f"{where} cannot be read: {words}.", by_hand=hand)


def _words(error: Exception) -> str:
    """The last thing that was said (libpq tells of each address it tried), on one line."""
    diagnosed = getattr(getattr(error, "diag", None), "message_primary", None)
    lines = [line.strip() for line in str(diagnosed or error).splitlines() if line.strip()]
    text = next((line for line in lines if not line.startswith(("Is the server", "Multiple"))), type(error).__name__)
    return scrub(text)[:_LONGEST].rstrip(". ")
