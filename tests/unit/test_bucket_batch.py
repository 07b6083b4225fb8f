"""Google's batch format: what we write, and what we make of what comes back."""

from __future__ import annotations

import contextlib
import email
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.systems.bucket.batch import Answer, Call, Malformed, decoded, delete_call, encoded

names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
messages = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
KIND = "multipart/mixed; boundary=batch_x"


def part(number: int | None, status: int, message: str = "", line: str = "\r\n") -> str:
    body = json.dumps({"error": {"code": status, "message": message}}) if message else ""
    own = "" if number is None else f"Content-ID: <response-batch_1+{number}>{line}"
    return (
        f"--batch_x{line}Content-Type: application/http{line}{own}{line}"
        f"HTTP/1.1 {status} Some Words{line}Content-Length: {len(body)}{line}{line}{body}{line}"
    )


def test_a_delete_names_its_generation() -> None:
    call = delete_call("rp006-l3-cache", "group 1/ä?#&.parquet", 1795335410994236)
    assert call == Call(
        "DELETE",
        "/storage/v1/b/rp006-l3-cache/o/group%201%2F%C3%A4%3F%23%26.parquet?ifGenerationMatch=1795335410994236",
    )


def test_the_standard_library_reads_what_we_write() -> None:
    calls = [delete_call("b", f"group-1/{number}", number) for number in range(100)]
    body = encoded(calls, "batch_1")
    message = email.message_from_bytes(b'Content-Type: multipart/mixed; boundary="batch_1"\r\n\r\n' + body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert len(parts) == 100
    assert parts[7]["Content-ID"] == "<batch_1+7>"
    assert str(parts[7].get_payload()).startswith("DELETE /storage/v1/b/b/o/group-1%2F7?ifGenerationMatch=7 HTTP/1.1")


@given(names, st.integers(1, 2**62))
def test_no_name_breaks_out_of_its_line(name: str, generation: int) -> None:
    body = encoded([delete_call("b", name, generation)], "batch_1")
    assert body.count(b"\r\n") == encoded([delete_call("b", "x", 1)], "batch_1").count(b"\r\n")
    assert body.count(b"HTTP/1.1") == 1


@given(
    st.lists(st.tuples(st.sampled_from([200, 204, 403, 404, 412, 429, 503]), messages), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
    st.sampled_from(["\r\n", "\n"]),
)
def test_answers_find_their_calls_in_any_order(
    given_answers: list[tuple[int, str]], chance: random.Random, line: str
) -> None:
    parts = [part(number, status, message, line) for number, (status, message) in enumerate(given_answers)]
    chance.shuffle(parts)
    body = "".join(parts) + f"--batch_x--{line}"
    answers = decoded(KIND, body.encode(), len(given_answers))
    assert [(answer.status, answer.message) for answer in answers if answer] == given_answers


def test_an_answer_that_is_missing_is_seen() -> None:
    body = part(2, 204) + part(0, 404, "No such object: b/x") + "--batch_x--"
    assert decoded(KIND, body.encode(), 3) == [
        Answer(404, '{"error": {"code": 404, "message": "No such object: b/x"}}'),
        None,
        Answer(204),
    ]


def test_an_answer_that_was_cut_off_on_its_way_does_not_count() -> None:
    whole = part(0, 204) + part(1, 204) + "--batch_x--\r\n"
    for length in range(len(part(0, 204)) + len("--batch_x\r\n"), len(whole) - len("--batch_x--\r\n") - 2):
        assert decoded(KIND, whole[:length].encode(), 2) == [Answer(204), None]


def test_without_ids_the_order_counts_if_all_are_there() -> None:
    body = part(None, 204) + part(None, 404) + "--batch_x--"
    assert [answer.status for answer in decoded(KIND, body.encode(), 2) if answer] == [204, 404]
    with pytest.raises(Malformed, match="without Content-ID"):
        decoded(KIND, body.encode(), 3)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<html>"),
        ("multipart/mixed", "--batch_x--"),
        (KIND, part(5, 204) + "--batch_x--"),
        (KIND, part(0, 204) + part(0, 204) + "--batch_x--"),
        (KIND, "--batch_x\r\nContent-Type: application/http\r\n\r\nhello\r\n--batch_x--"),
        (KIND, part(0, 204).replace("+0>", ">") + "--batch_x--"),
    ],
)
def test_what_is_no_answer_is_said(kind: str, body: str) -> None:
    with pytest.raises(Malformed):
        decoded(kind, body.encode(), 1)


@given(st.binary(max_size=200), st.integers(1, 5))
def test_garbage_is_malformed_or_no_answer(body: bytes, count: int) -> None:
    try:
        answers = decoded(KIND, body, count)
    except Malformed:
        return
    assert len(answers) == count


@given(st.text(alphabet='-batch_x\r\nHTP/1.204 :Content-ID<>+"{}', max_size=120))
def test_near_misses_never_crash(body: str) -> None:
    with contextlib.suppress(Malformed):
        decoded('multipart/mixed; boundary="batch_x"', body.encode(), 2)


def test_a_quoted_boundary() -> None:
    body = part(0, 204) + "--batch_x--"
    assert decoded('multipart/mixed; charset=utf-8; boundary="batch_x"', body.encode(), 1) == [Answer(204)]
