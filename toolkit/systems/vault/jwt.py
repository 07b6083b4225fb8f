"""The JWTs with which a machine proves to Vault who it is: a pod's, and a Google service account's."""

from __future__ import annotations

import os
import time
from pathlib import Path

from toolkit.errors import NotAllowed, Unreachable, UsageError
from toolkit.secret import Secret

POD_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_LARGEST = 64 * 1024
_HOLDS_SECONDS = 600
_WITH_A_FILE = "Or give a JWT that you have with --jwt-file."


def from_file(name: str) -> Secret:
    """The JWT in a file. Raises UsageError where there is none."""
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace").strip()
    except OSError as error:
        raise UsageError(
            f"The JWT file {name} cannot be read: {error.strerror}.", hint="Give another with --jwt-file."
        ) from None
    jwt = Secret(text)
    if text.count(".") != 2 or not text.isascii() or " " in text or not text.isprintable():
        raise UsageError(f"What {name} holds is not a JWT.", hint="Give another file with --jwt-file.")
    return jwt


def of_service_account(role: str) -> Secret:
    """A JWT for Vault's `role`, good for ten minutes: signed with a service account's key, or given by the VM.

    Raises NotAllowed for other Google credentials: a person's login cannot make one.
    """
    import google.auth
    from google.auth import compute_engine, exceptions, jwt
    from google.oauth2 import service_account

    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    except exceptions.GoogleAuthError:
        credentials = None
    if credentials is None:
        raise NotAllowed(
            "There are no Google credentials on this machine to log in to Vault with.",
            hint=f"Set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file. {_WITH_A_FILE}",
        )
    if isinstance(credentials, compute_engine.Credentials):
        return _of_this_vm(role)
    if not isinstance(credentials, service_account.Credentials):
        raise NotAllowed(
            "The Google credentials on this machine are not a service account's, as Vault's gcp login needs.",
            hint=f"Log in with another --method. {_WITH_A_FILE}",
            by_hand=("gcloud iam service-accounts sign-jwt --iam-account=… claims.json login.jwt",),
        )
    account = credentials.service_account_email
    now = int(time.time())
    claims = {"sub": account, "aud": f"vault/{role}", "iat": now, "exp": now + _HOLDS_SECONDS}
    signed: bytes = jwt.encode(credentials.signer, claims)
    return Secret(signed.decode())


def _of_this_vm(role: str) -> Secret:
    """The identity token that Google's metadata server gives to a VM."""
    import requests

    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    try:
        answer = requests.get(
            f"http://{host}/computeMetadata/v1/instance/service-accounts/default/identity",
            params={"audience": f"vault/{role}", "format": "full"},
            headers={"Metadata-Flavor": "Google"},
            timeout=10,
        )
        if answer.ok:
            return Secret(answer.text.strip())
        said = f"status {answer.status_code}"
    except requests.RequestException as error:
        said = type(error).__name__
    raise Unreachable(f"Google's metadata server gave no identity token: {said}.", hint=_WITH_A_FILE)
