"""The SDKs that nearly every question needs, imported one after the other.

Where a dozen questions begin at once in threads of their own, each imports what it needs, and all of them wait for one
another's import locks and for the interpreter: the first answers come a second later than with one thread that imports.
"""

from __future__ import annotations

import threading
from typing import Final

_lock: Final = threading.Lock()


def load() -> None:
    """Import them, or wait for the thread that does. Costs nothing once they are there."""
    with _lock:
        import hvac
        import redis
        from google.auth.transport import requests
        from google.cloud import storage

        del hvac, redis, requests, storage
