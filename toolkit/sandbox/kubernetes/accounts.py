"""Who may do what in a sandbox cluster: bearer tokens, what is denied to each, and the questions about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.sandbox.kubernetes.resources import Object


@dataclass(frozen=True, slots=True)
class Denial:
    """A verb on a resource (plural; `pods/log` for a subresource) that is refused; `*` fits everything."""

    verb: str
    resource: str
    namespace: str = "*"

    def fits(self, verb: str, resource: str, namespace: str) -> bool:
        pairs = ((self.verb, verb), (self.resource, resource), (self.namespace, namespace))
        return all(pattern in ("*", asked) for pattern, asked in pairs)


@dataclass
class Account:
    """Whoever shows one token. Everything is allowed that is not denied."""

    user: str
    denied: set[Denial] = field(default_factory=set)

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        return not any(denial.fits(verb, resource, namespace) for denial in self.denied)

    def review(self, asked: Object) -> Object:
        """The SelfSubjectAccessReview `asked`, with its answer."""
        attributes = asked.get("spec", {}).get("resourceAttributes", {})
        resource = attributes.get("resource", "")
        if attributes.get("subresource"):
            resource = f"{resource}/{attributes['subresource']}"
        allowed = self.may(attributes.get("verb", ""), resource, attributes.get("namespace", ""))
        status: Object = {"allowed": allowed}
        if not allowed:
            status["reason"] = "no rule allows it"
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": asked.get("spec", {}),
            "status": status,
        }


@dataclass
class Accounts:
    """The tokens that a cluster knows."""

    by_token: dict[str, Account] = field(default_factory=dict)

    def of(self, authorization: str) -> Account | None:
        """Whose token an Authorization header carries; None: nobody's."""
        scheme, _, token = authorization.partition(" ")
        return self.by_token.get(token.strip()) if scheme.lower() == "bearer" else None
