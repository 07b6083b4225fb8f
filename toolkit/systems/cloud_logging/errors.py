"""What Cloud Logging's refusals mean, and the command that asks the same by hand."""

from __future__ import annotations

import re
import shlex
from typing import Final

from toolkit.environments import model
from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable, UsageError
from toolkit.secret import scrub

LOGIN: Final = "gcloud auth application-default login"
BUSY: Final = ("RESOURCE_EXHAUSTED",)
PASSING: Final = ("UNAVAILABLE", "INTERNAL", "ABORTED")
_LONGEST: Final = 400


def by_hand(part: model.CloudLogging, filter_: str) -> str:
    """`gcloud logging read …`"""
    return shlex.join(["gcloud", "logging", "read", filter_, f"--project={part.project}", "--order=asc"])


def explained(code: str, details: str, part: model.CloudLogging, filter_: str) -> ToolkitError:
    """gRPC's status `code` as ours."""
    who, words = f"Cloud Logging of project {part.project}", _words(details)
    hand = (by_hand(part, filter_),)
    if code == "UNAUTHENTICATED" or "Getting metadata from plugin failed" in details:
        return NotAllowed(
            f"{who} does not know who you are: your Google login is missing or has expired.",
            hint=f"Log in with `{LOGIN}`, then try again.",
            by_hand=(LOGIN, *hand),
        )
    if code == "PERMISSION_DENIED":
        return _denied(who, words, part, hand)
    if code == "INVALID_ARGUMENT":
        return UsageError(
            f"{who} does not understand the filter {filter_!r}: {words}.",
            hint="It says where. Texts stand in double quotes, AND, OR and NOT in capitals: "
            'severity>=ERROR AND resource.labels.namespace_name="…".',
            by_hand=hand,
        )
    if code == "NOT_FOUND":
        return NotFound(
            f"{who} is not there: {words}.",
            hint="Correct logs.cloud_logging.project: `gcloud projects list` shows those that you may see.",
            by_hand=("gcloud projects list",),
        )
    if code == "RESOURCE_EXHAUSTED":
        return Unreachable(
            f"{who} is asked more often than its quota allows, and still was after a minute: {words}.",
            hint="Reading is limited to 60 requests a minute for each project, whoever asks. Wait a minute; ask for a "
            "shorter time, or close other tools that read the same project's logs.",
            by_hand=hand,
        )
    if code == "DEADLINE_EXCEEDED":
        return TimedOut(
            f"{who} did not answer within {part.timeout_seconds:g} s.",
            hint="A shorter time is quicker, and so is a filter on indexed fields (resource.type, resource.labels, "
            "severity, logName). logs.cloud_logging.timeout_seconds is how long is waited.",
            by_hand=hand,
        )
    if code == "UNAVAILABLE":
        return Unreachable(
            f"{who} cannot be reached at {part.endpoint or 'logging.googleapis.com'}: {words}.",
            hint="Is there a network? https://status.cloud.google.com shows outages.",
            by_hand=hand,
        )
    return Unreachable(f"{who} answers {code}: {words}.", hint="Try again in a minute.", by_hand=hand)


def _denied(who: str, words: str, part: model.CloudLogging, hand: tuple[str, ...]) -> ToolkitError:
    if "has not been used" in words or "SERVICE_DISABLED" in words:
        return Failed(
            f"{who} cannot be read: the Logging API is not switched on there.",
            hint="Is logs.cloud_logging.project right? Else its owners can switch the API on.",
            by_hand=(f"gcloud services enable logging.googleapis.com --project={part.project}",),
        )
    found = re.search(r"Permission '([\w.]+)'|\b(logging\.[\w.]+)", words)
    missing = (found[1] or found[2]) if found else "logging.logEntries.list"
    role = "roles/logging.viewAccessor" if missing == "logging.views.access" else "roles/logging.viewer"
    return NotAllowed(
        f"{who} does not let you read: you have not {missing} (or there is no such project).",
        hint=f"Are you logged in as yourself? Else ask the project's owners for {role}.",
        by_hand=("gcloud auth list", *hand),
    )


def _words(details: str) -> str:
    """Google's own words on one line; what the C library adds of its sources is left out."""
    text = " ".join(scrub(details).split()).rstrip(".") or "it does not say why"
    connecting = re.search(r"Failed to connect to remote host: (.*)", text)
    text = connecting[1] if connecting else text
    return text[:_LONGEST] + "…" if len(text) > _LONGEST else text
