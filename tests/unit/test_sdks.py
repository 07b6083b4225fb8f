"""The SDKs that the questions of Home need, imported by one thread while the others wait."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
from toolkit.systems import sdks
assert "redis" not in sys.modules, "nothing is imported before it is asked for"
threads = [threading.Thread(target=sdks.load) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
print(all(name in sys.modules for name in ("hvac", "redis", "google.cloud.storage", "google.auth.transport.requests")))
"""


def test_eight_at_once_find_them_all() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
