"""Okta's client against servers that do not behave: its token goes nowhere else, and no list is without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolkit.environments.access import Okta as Part
from toolkit.errors import ToolkitError, Unreachable
from toolkit.secret import Secret
from toolkit.systems.okta import Okta
from toolkit.systems.okta.people import User

ANA = User("00u1", "ana@a.example", "ana@a.example", "Ana", "ACTIVE")


@dataclass
class Odd:
    """A server that answers everything with `body`, and with `headers`."""

    url: str = ""
    body: bytes = b"[]"
    code: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def okta(self) -> Okta:
        return Okta(Part(address=self.url), lambda: Secret("00-a-token-for-tests"), "vault kv get")


@pytest.fixture
def odd() -> Iterator[Odd]:
    found = Odd()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(found.code)
            for name, value in {"Content-Length": str(len(found.body)), **found.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_next_page_is_asked_for_in_the_same_organisation_whatever_the_link_says(odd: Odd) -> None:
    odd.headers = {"Link": '<https://elsewhere.example/api/v1/users/00u1/groups?after=x>; rel="next"'}
    okta = odd.okta()
    with pytest.raises(Unreachable, match="without an end"):
        okta.groups_of(ANA)
    okta.close()
    assert odd.asked[1:] == ["/api/v1/users/00u1/groups?after=x"] * 99


def test_a_redirect_is_not_followed(odd: Odd) -> None:
    odd.code, odd.headers = 302, {"Location": "https://login.example/"}
    okta = odd.okta()
    with pytest.raises(Unreachable, match=r"sends us on to login\.example"):
        okta.user("ana@a.example")
    okta.close()
    assert len(odd.asked) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"id": "00u1"}', b"[1]", b"null", b'"x"', b'{"profile": []}'])
def test_json_of_another_shape_is_not_oktas(odd: Odd, body: bytes) -> None:
    odd.body = body
    okta = odd.okta()
    with pytest.raises(ToolkitError, match="is not Okta's API"):
        okta.user("ana@a.example")
    if body != b"[]":
        with pytest.raises(ToolkitError, match="is not Okta's API"):
            okta.groups_of(ANA)
    okta.close()


def test_what_is_asked_for_stays_one_word_of_the_address(odd: Odd) -> None:
    odd.code, odd.body = 404, b'{"errorCode": "E0000007", "errorSummary": "Not found"}'
    okta = odd.okta()
    with pytest.raises(ToolkitError):
        okta.user('a/../b?"c')
    okta.close()
    assert odd.asked[0] == "/api/v1/users/a%2F..%2Fb%3F%22c"
    assert "%5C%22c" in odd.asked[1]  # its quote does not end the search's
