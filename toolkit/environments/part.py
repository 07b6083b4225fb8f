"""What every table of the configuration is: frozen, by name, and strict about keys it does not know."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration."""
