"""The sign-in service: discovery and the token endpoint with the errors of real tenants."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.directories.graph_emulator.wire import Answer, Request, json_answer

# HTTP status, OAuth error and text of each AADSTS code that the emulator knows
ERRORS = {
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000222: (401, "invalid_client", "The provided client secret keys are expired."),
    7000218: (401, "invalid_client", "The request body must contain 'client_assertion' or 'client_secret'."),
    700027: (401, "invalid_client", "The certificate with identifier used to sign the assertion is not registered."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700023: (401, "invalid_client", "Client assertion audience claim does not match."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    7000229: (401, "invalid_client", "The client application is missing service principal in the tenant."),
    7000112: (400, "unauthorized_client", "Application is disabled."),
    90002: (400, "invalid_request", "Tenant not found."),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    1002012: (400, "invalid_scope", "The provided value for scope is not valid."),
    53003: (400, "access_denied", "Access has been blocked by Conditional Access policies."),
}


@dataclass
class Application:
    """The app registration: how it proves itself and what it may read."""

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = "aB3~right-secret-of-the-application"
    certificate: x509.Certificate | None = None
    roles: set[str] = field(default_factory=lambda: {"User.Read.All", "GroupMember.Read.All"})
    refused_with: int = 0  # an AADSTS code that answers every sign-in


class SignIn:
    """Answers below ``/{tenant}``; knows the tokens it gave."""

    def __init__(self, tenant_id: str, domain: str, application: Application, clock: Callable[[], datetime]) -> None:
        self.tenant_names = {tenant_id.lower(), domain.lower()}
        self.tenant_id = tenant_id
        self.application = application
        self.clock = clock
        self.life = timedelta(seconds=3599)
        self._tokens: dict[str, tuple[datetime, frozenset[str]]] = {}
        self.issued = 0

    def expire_tokens(self) -> None:
        """Every token given so far is too old from now on."""
        self._tokens = {token: (self.clock() - timedelta(hours=1), roles) for token, (_, roles) in self._tokens.items()}

    def roles_of(self, token: str) -> frozenset[str] | None:
        """What the token permits; None if it is unknown or expired."""
        expires, roles = self._tokens.get(token, (self.clock(), frozenset()))
        return roles if expires > self.clock() else None

    def answer(self, request: Request) -> Answer:
        tenant, _, rest = request.path.lstrip("/").partition("/")
        discovery = rest == "v2.0/.well-known/openid-configuration"
        if tenant.lower() not in self.tenant_names:
            answer = _refusal(90002)
            return json_answer(400, {**answer.json(), "error": "invalid_tenant"}) if discovery else answer
        if discovery:
            return json_answer(200, self._discovery(request.origin))
        if rest == "oauth2/v2.0/token" and request.method == "POST":
            return self._token(request)
        return json_answer(404, {"error": "not_found"})

    def _discovery(self, origin: str) -> dict[str, Any]:
        base = f"{origin}/{self.tenant_id}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "issuer": f"{base}/v2.0",
            "msgraph_host": origin.removeprefix("https://"),
        }

    def _token(self, request: Request) -> Answer:
        form = request.form
        problem = self._problem(form, request.origin)
        if problem:
            return _refusal(problem)
        self.issued += 1
        now = self.clock()
        roles = sorted(self.application.roles)
        claims = {"aud": request.origin, "roles": roles, "jti": str(self.issued), "tid": self.tenant_id}
        token = f"{_part({'typ': 'JWT', 'alg': 'none'})}.{_part(claims)}.{_part({'n': self.issued})}"
        self._tokens[token] = (now + self.life, frozenset(roles))
        lifetime = int(self.life.total_seconds())
        told = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}
        return json_answer(200, told)

    def _problem(self, form: dict[str, str], origin: str) -> int:
        application = self.application
        if form.get("client_id") != application.client_id:
            return 700016
        if application.refused_with:
            return application.refused_with
        if form.get("scope") != f"{origin}/.default":
            return 500011 if form.get("scope", "").endswith("/.default") else 1002012
        if "client_assertion" in form:
            return self._assertion_problem(form["client_assertion"], origin)
        if not form.get("client_secret"):
            return 7000218
        return 0 if form["client_secret"] == application.secret else 7000215

    def _assertion_problem(self, assertion: str, origin: str) -> int:
        certificate = self.application.certificate
        if certificate is None:
            return 700027
        key = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        told = str(jwt.get_unverified_header(assertion).get("x5t#S256", ""))
        if told.rstrip("=") != thumbprint:  # msal pads it
            return 700027
        audience = f"{origin}/{self.tenant_id}/oauth2/v2.0/token"
        try:
            jwt.decode(assertion, key, algorithms=["PS256"], audience=audience)
        except jwt.InvalidAudienceError:
            return 700023
        except jwt.ExpiredSignatureError:
            return 700024
        except jwt.InvalidTokenError:
            return 700027
        return 0


def _refusal(code: int) -> Answer:
    status, error, text = ERRORS[code]
    trace, correlation, moment = uuid.uuid4(), uuid.uuid4(), "2026-01-09 02:02:12Z"
    description = f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    body = {
        "error": error,
        "error_description": description,
        "error_codes": [code],
        "timestamp": moment,
        "trace_id": str(trace),
        "correlation_id": str(correlation),
    }
    return json_answer(status, body)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
