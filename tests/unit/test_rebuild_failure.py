"""The one line that says why a run failed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.actions.rebuild.failure import last_words, logs_explorer_query
from toolkit.systems.cluster.objects import read_job

TRACEBACK = """\
writing g0
Traceback (most recent call last):
  File "cache_manager.py", line 12, in <module>
    main()
  File "cache_manager.py", line 8, in main
    raise ValueError("the bucket is full")
ValueError: the bucket is full"""
CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'g0'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
google.api_core.exceptions.Forbidden: 403 POST: no storage.objects.create
exiting"""
STAMPED = """\
2026-11-22 08:00:01 ERROR Traceback (most recent call last):
2026-11-22 08:00:01 ERROR   File "a.py", line 1, in <module>
2026-11-22 08:00:01 ERROR MemoryError
2026-11-22 08:00:02 INFO bye"""
STAMPED_ONCE = """\
2026-11-22 08:00:01 ERROR the build broke: Traceback (most recent call last):
  File "a.py", line 1, in <module>
redis.exceptions.ConnectionError: Error 111"""


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        (TRACEBACK, "ValueError: the bucket is full"),
        (CHAINED, "google.api_core.exceptions.Forbidden: 403 POST: no storage.objects.create"),
        (STAMPED, "MemoryError"),
        (STAMPED_ONCE, "redis.exceptions.ConnectionError: Error 111"),
        ("all well\nERROR disk full\nbye", "ERROR disk full"),
        ("one\ntwo\n\n", "two"),
        ("", ""),
        ("Traceback (most recent call last):\n  File", "File"),
    ],
)
def test_the_line_that_says_most(log: str, wanted: str) -> None:
    assert last_words(log.split("\n")) == wanted


@given(st.lists(st.text(max_size=60)))
def test_any_log_gives_one_line(lines: list[str]) -> None:
    assert len(last_words(lines)) <= 300


def test_the_query_names_the_run_and_its_time() -> None:
    job = read_job(
        "prod-cluster",
        {
            "metadata": {"name": "run-1", "namespace": "phenoapp"},
            "status": {
                "startTime": "2026-11-22T08:00:00Z",
                "conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": "2026-11-22T08:30:00Z"}],
            },
        },
    )
    assert job.finished == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    query = logs_explorer_query(job)
    assert 'labels."k8s-pod/job-name"="run-1"' in query
    assert 'timestamp>="2026-11-22T08:00:00Z"' in query
    assert 'timestamp<="2026-11-22T08:30:00Z"' in query
