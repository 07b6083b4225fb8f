"""Escape codes: colours and the like, which terminals act on and people do not read."""

from __future__ import annotations

import re
from typing import Final

# CSI (colours, movements), OSC (titles, links), and the codes of one letter; each alternative is linear.
_CODE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def uncoloured(text: str) -> str:
    """`text` without escape codes. Other control characters stay: whoever shows it makes them harmless."""
    return _CODE.sub("", text)
