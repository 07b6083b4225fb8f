"""A secret shows itself only when it is told to."""

from __future__ import annotations

import json
import pickle

import msgspec
import pytest

from toolkit.secret import Secret, scrub

VALUE = "s.0123456789abcdef"


def test_no_way_of_printing_gives_it_away() -> None:
    secret = Secret(VALUE)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        "{}".format(secret),  # noqa: UP032
        f"{[secret]}",
        f"{ {'a': secret} }",
    ]
    assert not any(VALUE in text for text in shown)
    assert secret.reveal() == VALUE


def test_it_cannot_be_written_out_by_accident() -> None:
    secret = Secret(VALUE)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps({"a": secret})
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_texts_are_scrubbed_of_what_was_held() -> None:
    secret = Secret(VALUE)
    assert VALUE not in scrub(f"AUTH {VALUE} failed")
    assert scrub("AUTH failed") == "AUTH failed"
    del secret
    assert VALUE not in scrub(f"AUTH {VALUE} failed")


def test_the_fingerprint_tells_two_apart_without_showing_them() -> None:
    assert Secret("abcdef1").fingerprint() != Secret("abcdef2").fingerprint()
    assert Secret("abcdef1").fingerprint() == Secret("abcdef1").fingerprint()
    assert "abcdef" not in Secret("abcdef1").fingerprint()
