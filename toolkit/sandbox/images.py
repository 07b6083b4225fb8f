"""The images of the sandbox: what a registry holds under a name, and which tag was asked for when."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from toolkit.sandbox.places import IMAGE_TAG, OLDER_IMAGE_TAGS

TAGS = (*OLDER_IMAGE_TAGS, IMAGE_TAG)  # in the order in which trunk asked for them
_EVERY = timedelta(days=16)
_NEWEST = timedelta(days=9)


def set_at(tag: str, now: datetime) -> datetime:
    """When trunk began to ask for the tag."""
    return now - _NEWEST - _EVERY * (len(TAGS) - 1 - TAGS.index(tag))


def tag_at(moment: datetime, now: datetime) -> str:
    """The tag that was deployed at that moment: Argo CD was synced soon after each commit."""
    return next((tag for tag in reversed(TAGS) if set_at(tag, now) <= moment), TAGS[0])


def image_id(image: str) -> str:
    """What a node says it runs (containerd's form): the name without its tag, and the digest it was pulled by."""
    repository, _, _ = image.rpartition(":")
    return f"docker.io/{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
