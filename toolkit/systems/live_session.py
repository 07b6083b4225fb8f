"""The end of a live stream, Loki's or Cloud Logging's: no failure, since whoever reads goes on with another session."""

from __future__ import annotations


class SessionEnded(Exception):
    """A live session is over. `expected`: by the server's own time limit, by a restart it announced, or by us."""

    def __init__(self, why: str, *, expected: bool) -> None:
        super().__init__(why)
        self.why = why
        self.expected = expected
