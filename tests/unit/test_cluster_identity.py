"""What is remembered of the clusters that were met, and what a broken memory leads to."""

from __future__ import annotations

import threading

import pytest

from toolkit.environments import model
from toolkit.errors import ConfigurationError, Refused
from toolkit.systems.cluster.identity import recognise, store

PART = model.Cluster(context="ctx")
ADDRESS = "https://192.0.2.1"


def test_the_first_meeting_counts() -> None:
    first = recognise("prod-cluster", PART, "uid-1", ADDRESS)
    assert recognise("prod-cluster", PART, "uid-1", "https://192.0.2.2") == first
    with pytest.raises(Refused) as caught:
        recognise("prod-cluster", PART, "uid-2", ADDRESS)
    assert "uid-1" in caught.value.message
    assert "uid-2" in caught.value.message
    assert str(store()) in caught.value.hint


def test_a_cluster_with_a_kubeconfig_of_its_own_is_another() -> None:
    recognise("prod-cluster", PART, "uid-1", ADDRESS)
    recognise("prod-cluster", model.Cluster(context="ctx", kubeconfig="/sandbox/kubeconfig"), "uid-2", ADDRESS)


def test_many_at_a_time_lose_nothing() -> None:
    threads = [
        threading.Thread(target=recognise, args=(f"cluster-{number}", PART, f"uid-{number}", ADDRESS))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(12):
        with pytest.raises(Refused):
            recognise(f"cluster-{number}", PART, "another", ADDRESS)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"a": 1}', '{"a": {"uid": "x"}}', '{"a": {"uid": "x", "address": "y", "first_met": "z"}}']
)
def test_a_broken_memory_is_said_and_not_overwritten(text: str) -> None:
    store().write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        recognise("prod-cluster", PART, "uid-1", ADDRESS)
    assert str(store()) in caught.value.message
    assert store().read_text() == text
