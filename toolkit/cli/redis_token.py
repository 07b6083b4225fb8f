"""`toolkit redis token`: the Redis access token from Vault, by its fingerprint; copied or shown only when asked."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit import figures
from toolkit.cli import diagnostics, options, output
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import UsageError


def token(
    env: options.Env = None,
    form: options.Output = Format.TABLE,
    copy: Annotated[bool, typer.Option("--copy", help="Put it on the clipboard; print nothing of it.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print it, and nothing else, to stdout.")] = False,
) -> None:
    """The token with which Redis is opened, read from Vault. Without an option: its fingerprint and where it lies.

    Two people who see the same fingerprint hold the same token.
    """
    if copy and reveal:
        raise UsageError("--copy and --reveal exclude each other.", hint="--copy shows nothing; --reveal shows it.")
    with opened(env) as connections:
        vault = connections.vault
        found = vault.redis_secret()
        name = connections.environment.name
        by_hand = vault.get_by_hand()
    if reveal:
        output.secret(found.token)
        return
    document = {
        "environment": name,
        "fingerprint": found.token.fingerprint(),
        "length": len(found.token.reveal()),
        "vault": vault.server.address,
        "path": found.path,
        "field": found.field,
        "kv_version": found.kv.version,
        "kv_version_from": found.kv.how,
        "version": found.version,
        "created_at": found.created_at,
        "by_hand": [by_hand],
    }

    lines = [
        ("fingerprint", found.token.fingerprint()),
        ("length", f"{len(found.token.reveal())} characters"),
        ("from", f"{found.path}, field {found.field}, in {vault.server}"),
        ("KV version", f"{found.kv.version}, {found.kv.how}"),
    ]
    if found.version is not None:
        lines.append(("secret's version", f"{found.version}, written {figures.when(found.created_at)}"))
    lines.append(("by hand", by_hand))
    if copy:
        from toolkit.systems import clipboard

        copied = clipboard.copy(found.token)
        how = f"Copied with {copied.way}" if copied.sure else f"Sent to the clipboard of {copied.way}"
        hope = "" if copied.sure else " It does not say whether it took it: paste to see."
        diagnostics.narrate(f"{how}; it stays there until something else is copied.{hope}")
        return
    if form is Format.PLAIN:
        for label, value in lines:
            output.text(f"{label}\t{value}")
    else:
        output.document(document, form, lambda: output.pairs(lines))
