"""gRPC's channel to Google Cloud Logging, and the messages of its API.

Google's own client is not used: importing it takes 0.9 s, three quarters of that for clients of other services, HTTP
transports and log handlers. Its message classes alone, on a bare gRPC channel, take a quarter of a second; two calls
are all that is needed here.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from toolkit.errors import NotAllowed
from toolkit.systems.cloud_logging.errors import LOGIN

if TYPE_CHECKING:
    from types import ModuleType

    from toolkit.environments import model

_ADDRESS: Final = "logging.googleapis.com:443"
_SERVICE: Final = "/google.logging.v2.LoggingServiceV2/"
_SCOPES: Final = ("https://www.googleapis.com/auth/logging.read",)
_OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@dataclass(frozen=True)
class Google:
    """An open channel; `list_entries` and `tail_entries` are its calls, the others make their requests."""

    channel: Any
    list_entries: Any
    tail_entries: Any
    ListLogEntriesRequest: Callable[..., Any]
    TailLogEntriesRequest: Callable[..., Any]


def open_google(part: model.CloudLogging) -> Google:
    """A channel as `part` configures it: to Google with the application default credentials, or to an emulator."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's C code writes to stderr by itself
    import grpc

    types = messages()
    channel = _to_emulator(grpc, part.endpoint) if part.endpoint else _to_google(grpc)

    def raw(name: str) -> Any:
        """Google's protocol buffer class itself: the wrapper around it is several times slower."""
        wrapper = getattr(types, name)
        return wrapper.pb()

    return Google(
        channel=channel,
        list_entries=channel.unary_unary(
            f"{_SERVICE}ListLogEntries",
            request_serializer=raw("ListLogEntriesRequest").SerializeToString,
            response_deserializer=raw("ListLogEntriesResponse").FromString,
        ),
        tail_entries=channel.stream_stream(
            f"{_SERVICE}TailLogEntries",
            request_serializer=raw("TailLogEntriesRequest").SerializeToString,
            response_deserializer=raw("TailLogEntriesResponse").FromString,
        ),
        ListLogEntriesRequest=raw("ListLogEntriesRequest"),
        TailLogEntriesRequest=raw("TailLogEntriesRequest"),
    )


def messages() -> ModuleType:
    """google.cloud.logging_v2.types.logging, without running the package above it, which imports all the rest."""
    name = "google.cloud.logging_v2"
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)  # knows where its submodules are, and no more
    return importlib.import_module(f"{name}.types.logging")


def _to_emulator(grpc: Any, endpoint: str) -> Any:
    target = urlsplit(endpoint).netloc if "://" in endpoint else endpoint
    return grpc.insecure_channel(target, options=[*_OPTIONS, ("grpc.enable_http_proxy", 0)])


def _to_google(grpc: Any) -> Any:
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.grpc import AuthMetadataPlugin
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    except GoogleAuthError as error:
        raise NotAllowed(
            "Cloud Logging cannot be asked: there is no Google login on this workstation.",
            hint=f"Log in with `{LOGIN}`, then try again.",
            by_hand=(LOGIN,),
        ) from error
    token = grpc.metadata_call_credentials(AuthMetadataPlugin(credentials, Request(), default_host=_ADDRESS))
    both = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), token)
    return grpc.secure_channel(_ADDRESS, both, options=_OPTIONS)
