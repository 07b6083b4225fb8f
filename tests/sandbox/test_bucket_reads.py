"""Looking into the bucket, on good days and bad ones."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from bucket_fixtures import NAME, bucket, fill, part, server

from toolkit.environments import model
from toolkit.errors import ConfigurationError, NotAllowed, NotFound, TimedOut, Unreachable
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.bucket import Bucket, FolderInfo
from toolkit.systems.bucket.names import target

__all__ = ["bucket", "server"]


@pytest.fixture
def answering() -> Iterator[tuple[HTTPServer, list[tuple[int, str, bytes]]]]:
    """A server that says what it is told to: (status, content type, body) for all that is asked of it."""
    says = [(200, "text/html", b"<html>Please log in</html>")]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            status, kind, body = says[0]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield http, says
        http.shutdown()
        thread.join()


def test_the_bucket_says_what_it_is(bucket: Bucket) -> None:
    found = bucket.describe()
    assert (found.name, found.project, found.soft_delete_seconds) == (NAME, "rp006-prod", 7 * 24 * 3600)


def test_one_level_and_all_of_it(bucket: Bucket, server: StorageServer) -> None:
    fill(server, 3, "group-1/")
    fill(server, 2, "group-10/")
    server.put(NAME, "readme", b"text")
    level = bucket.list()
    assert level.folders == (FolderInfo("group-1/"), FolderInfo("group-10/"))
    assert [(item.path, item.bytes) for item in level.objects] == [("readme", 4)]
    assert len(list(bucket.objects())) == 6
    assert bucket.usage("group-1/").objects == 3
    assert bucket.usage("group-1/").bytes == 15


def test_more_objects_than_a_page_holds(bucket: Bucket, server: StorageServer) -> None:
    names = fill(server, 2300)
    assert [item.path for item in bucket.objects("group-1/")] == names
    assert server.requests["GET list"] == 3


def test_a_typed_name_means_the_object_and_the_folder_of_that_name_alone(bucket: Bucket, server: StorageServer) -> None:
    for name in ("group-1", "group-1/a", "group-10/a", "group-1.old"):
        server.put(NAME, name, b"x")
    assert [item.path for item in bucket.meant(target("group-1", NAME))] == ["group-1", "group-1/a"]
    assert [item.path for item in bucket.meant(target("group-1/", NAME))] == ["group-1/a"]


def test_reading_ranges(bucket: Bucket, server: StorageServer) -> None:
    server.put(NAME, "digits", b"0123456789")
    assert bucket.read("digits") == b"0123456789"
    assert bucket.read("digits", 2, 5) == b"234"
    assert bucket.read("digits", -4) == b"6789"
    assert bucket.read("digits", 3, 3) == b""
    assert bucket.read("digits", 8, 50) == b"89"
    assert bucket.read("digits", 50, 60) == b""
    server.put(NAME, "empty", b"")
    assert bucket.read("empty") == b""
    assert bucket.read("empty", 0, 10) == b""


def test_a_compressed_object_is_read_as_it_is_stored(bucket: Bucket, server: StorageServer) -> None:
    server.store.put(NAME, "packed", b"\x1f\x8b not really gzip", "text/plain", "gzip")
    assert bucket.read("packed") == b"\x1f\x8b not really gzip"
    assert bucket.read("packed", 0, 2) == b"\x1f\x8b"


def test_another_generation_is_not_read_by_mistake(bucket: Bucket, server: StorageServer) -> None:
    old = server.put(NAME, "x", b"old")
    server.put(NAME, "x", b"new")
    with pytest.raises(NotFound, match="no such object"):
        bucket.read("x", generation=old.generation)


def test_an_object_that_is_not_there(bucket: Bucket) -> None:
    assert bucket.find("nothing") is None
    with pytest.raises(NotFound, match="read nothing: there is no such object in gs://rp006-l3-cache"):
        bucket.read("nothing")


def test_permissions(bucket: Bucket, server: StorageServer) -> None:
    server.faults.deny(NAME, "storage.objects.delete")
    asked = ["storage.objects.list", "storage.objects.delete"]
    assert bucket.may(asked) == ("storage.objects.list",)


def test_a_bucket_that_is_not_there_names_the_key(server: StorageServer) -> None:
    bucket = Bucket(part(server, name="rp006-l3-cahce"))
    with pytest.raises(NotFound, match=r"no bucket called 'rp006-l3-cahce', which is what bucket\.name says") as raised:
        list(bucket.objects())
    assert "toolkit env show" in raised.value.hint
    assert "gcloud storage buckets list --project rp006-prod" in raised.value.by_hand
    bucket.close()


def test_a_bucket_that_is_not_ours_names_the_permission(bucket: Bucket, server: StorageServer) -> None:
    server.faults.forbid(NAME)
    for look, permission in ((bucket.list, "storage.objects.list"), (bucket.describe, "storage.buckets.get")):
        with pytest.raises(NotAllowed, match=permission) as raised:
            look()
        assert "gcloud auth list" in raised.value.by_hand
        assert raised.value.exit_code == 4


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_not_noticed(bucket: Bucket, server: StorageServer, status: int) -> None:
    fill(server, 3)
    server.faults.fail_next(2, status)
    assert len(list(bucket.objects())) == 3


@pytest.mark.parametrize(("status", "words"), [(429, "slow down"), (503, "in trouble")])
def test_a_lasting_trouble_is_said_after_a_few_tries(
    bucket: Bucket, server: StorageServer, status: int, words: str
) -> None:
    server.faults.fail_next(100, status)
    with pytest.raises(Unreachable, match=rf"{words}: it still answers {status} after several tries"):
        list(bucket.objects())
    assert server.request_count == 4


def test_a_server_that_hangs(server: StorageServer) -> None:
    bucket = Bucket(part(server, timeout_seconds=0.3))
    server.faults.latency = 30
    with pytest.raises(TimedOut, match=r"did not answer within 0\.3 s"):
        bucket.list()
    bucket.close()


def test_nobody_listens(server: StorageServer) -> None:
    bucket = Bucket(part(server))
    server.stop()
    with pytest.raises(Unreachable, match="Connection refused") as raised:
        bucket.list()
    assert "toolkit doctor" in raised.value.hint
    bucket.close()


def test_a_name_that_does_not_resolve() -> None:
    bucket = Bucket(model.Bucket(name="b", endpoint="http://storage.invalid:1", timeout_seconds=2))
    with pytest.raises(Unreachable, match=r"storage\.invalid"):
        bucket.list()
    bucket.close()


def test_an_endpoint_that_is_no_address() -> None:
    with pytest.raises(ConfigurationError, match="localhost:4443"):
        Bucket(model.Bucket(name="b", endpoint="localhost:4443"))


def test_a_login_page_in_between(answering: tuple[HTTPServer, list[tuple[int, str, bytes]]]) -> None:
    http, _ = answering
    bucket = Bucket(model.Bucket(name="b", endpoint=f"http://127.0.0.1:{http.server_port}", timeout_seconds=1))
    with pytest.raises(Unreachable, match="is not Google's storage"):
        bucket.list()
    bucket.close()


def test_a_connection_that_breaks_while_reading_is_read_again(bucket: Bucket, server: StorageServer) -> None:
    server.put(NAME, "frame", b"f" * 3_000_000)
    server.faults.cut_downloads(after=1_000_000, times=2)
    assert bucket.read("frame") == b"f" * 3_000_000
    assert server.requests["GET download"] == 3


def test_no_login_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    bucket = Bucket(model.Bucket(name="b"))
    with pytest.raises(NotAllowed, match="login is missing or has expired") as raised:
        bucket.list()
    assert "gcloud auth application-default login" in raised.value.hint
    assert raised.value.exit_code == 4
    bucket.close()


def test_an_expired_login_is_said_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answering: tuple[HTTPServer, list[tuple[int, str, bytes]]]
) -> None:
    http, says = answering
    says[0] = (400, "application/json", b'{"error": "invalid_grant", "error_description": "Token has been expired."}')
    file = tmp_path / "adc.json"
    login = {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "not-a-secret",
        "refresh_token": "old-refresh-token",
    }
    monkeypatch.setattr(
        "google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"http://127.0.0.1:{http.server_port}/token"
    )
    file.write_text(json.dumps(login))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    bucket = Bucket(model.Bucket(name="b"))
    with pytest.raises(NotAllowed, match="Token has been expired") as raised:
        bucket.list()
    assert "gcloud auth application-default login" in raised.value.hint
    told = f"{raised.value.message} {raised.value.hint} {raised.value.by_hand}"
    assert "old-refresh-token" not in told
    assert "not-a-secret" not in told
    bucket.close()


def test_a_login_service_out_of_reach_is_no_missing_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "adc.json"
    login = {"type": "authorized_user", "client_id": "id", "client_secret": "not-a-secret", "refresh_token": "token"}
    file.write_text(json.dumps(login))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", "http://127.0.0.1:1/token")
    bucket = Bucket(model.Bucket(name="b", timeout_seconds=1))
    with pytest.raises(Unreachable, match=r"login service cannot be reached .*refused"):
        bucket.list()
    bucket.close()


def test_an_emulator_in_the_environment_does_not_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    bucket = Bucket(model.Bucket(name="b"))
    with pytest.raises(ConfigurationError, match="STORAGE_EMULATOR_HOST"):
        bucket.list()
    bucket.close()


def test_a_proxy_of_this_machine_is_not_asked_for_loopback(
    monkeypatch: pytest.MonkeyPatch, server: StorageServer
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        bucket = Bucket(part(server))
        assert bucket.list().objects == ()
        bucket.close()


@pytest.mark.parametrize("name", ["", "gs://rp006", "rp006/groups"])
def test_a_name_that_cannot_be_one(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"bucket\.name"):
        Bucket(model.Bucket(name=name))


def test_a_closed_bucket_opens_again(bucket: Bucket) -> None:
    assert bucket.list().objects == ()
    bucket.close()
    assert bucket.list().objects == ()
