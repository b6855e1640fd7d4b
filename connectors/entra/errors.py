"""What can go wrong with Entra ID, in words for an administrator and with what to do about it.

The codes and their causes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes and
https://learn.microsoft.com/graph/errors. Decisions follow codes, never texts, which Microsoft may change.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scim_server.domain.observations import ReadFailed

CONSENT = (
    "In the Entra admin center open App registrations → this application → API permissions → Add a permission → "
    "Microsoft Graph → Application permissions, then press Grant admin consent. It may take minutes to take effect."
)
_RENEWAL = "App registrations → this application → Certificates & secrets → New client secret"
_OUR_FAULT = "This request is made by the server itself; please report it with the code."
_LATER = "Microsoft's sign-in service is busy or disturbed; the next run tries again."

_SIGN_IN_ADVICE: Mapping[int, str] = {
    7000215: f"Enter the secret's Value, not its Secret ID; if the value is lost, create a new one ({_RENEWAL}).",
    7000222: f"The secret has expired. Create a new one ({_RENEWAL}), enter it here and note its expiry date.",
    7000216: "No secret or certificate was sent: enter one in the settings.",
    7000218: "No secret or certificate was sent: enter one in the settings.",
    700027: (
        "Upload the public certificate under App registrations → this application → Certificates & secrets → "
        "Certificates, and compare its thumbprint with the one shown here. An expired certificate must be replaced."
    ),
    700024: "The clock of this server is wrong: set it by NTP.",
    700023: "The tenant or the cloud does not fit this certificate: check tenant_id and cloud.",
    700016: "The application is unknown in this tenant: check client_id and tenant_id, they are easily swapped.",
    7000229: "The application is not present in this tenant. " + CONSENT,
    7000112: "The application is disabled: Enterprise applications → this application → Properties → Enabled: Yes.",
    90002: "The tenant is unknown: check tenant_id, and the cloud (US Government and China are separate).",
    900023: "tenant_id must be the tenant's GUID or one of its verified domains.",
    500011: "The cloud chosen does not match the tenant: check cloud.",
    1002012: _OUR_FAULT,
    70011: _OUR_FAULT,
    50027: _OUR_FAULT,
    65001: CONSENT,
    53003: "Conditional Access blocks the application from this location: an administrator must allow it.",
    90033: _LATER,
    90055: _LATER,
}

_LOOK_UP = "Search for this code in Microsoft's list of Graph errors."
_GRAPH_ADVICE: Mapping[str, str] = {
    "authorization_identitynotfound": "The application has no identity in this tenant: check tenant_id. " + CONSENT,
    "authorization_requestdenied": CONSENT,
    "invalidauthenticationtoken": "The token was not accepted: check that the cloud matches the tenant.",
    "request_resourcenotfound": "The object is not, or no longer, in the directory.",
}


class EntraFailed(ReadFailed):
    """Entra ID could not be read; ``text`` says what happened, ``remedy`` what an administrator can do."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(f"{text} {remedy}".rstrip())
        self.text = text
        self.remedy = remedy


class Unavailable(EntraFailed):
    """No usable answer came (network, throttling, 5xx, a cut or foreign body); asking again may help.

    ``retry_after`` is the pause in seconds that the service asked for, None if it did not.
    """

    def __init__(self, text: str, remedy: str = "", retry_after: float | None = None) -> None:
        super().__init__(text, remedy or "The next run tries again.")
        self.retry_after = retry_after


class SignInFailed(EntraFailed):
    """The token endpoint refused; ``code`` is the AADSTS number, 0 if none was told."""

    def __init__(self, text: str, remedy: str = "", code: int = 0) -> None:
        super().__init__(text, remedy)
        self.code = code


class GraphRefused(EntraFailed):
    """Graph answered with an error; ``codes`` are its own and the nested ones in lower case."""

    def __init__(self, status: int, codes: frozenset[str], text: str, remedy: str = "") -> None:
        super().__init__(text, remedy)
        self.status = status
        self.codes = codes


def sign_in_failed(answer: Mapping[str, Any]) -> SignInFailed:
    """The refusal of the token endpoint or the discovery document in words."""
    numbers = answer.get("error_codes") or _numbers_in(str(answer.get("error_description", "")))
    code = next((number for number in numbers if isinstance(number, int)), 0)
    name = f"AADSTS{code}" if code else str(answer.get("error", "without a code"))
    text = f"Entra ID refused the sign-in ({name}): {without_trace(str(answer.get('error_description', '')))}"
    trace = ", ".join(f"{part} {answer[key]}" for part, key in _SUPPORT_IDS if answer.get(key))
    remedy = _SIGN_IN_ADVICE.get(code, "Search for this code in Microsoft's list of AADSTS errors.")
    return SignInFailed(f"{text} [{trace}]" if trace else text, remedy, code)


def graph_refused(status: int, body: Mapping[str, Any], request_id: str, permission: str = "") -> GraphRefused:
    """An error answer of Graph in words; ``permission`` is the least one the request needs."""
    codes = frozenset(code.lower() for code in _codes_in(body.get("error")))
    first = next(_codes_in(body.get("error")), "no code")
    message = without_trace(_message_of(body.get("error")))
    remedy = next((_GRAPH_ADVICE[code] for code in codes if code in _GRAPH_ADVICE), _LOOK_UP)
    if status == 403:
        missing = f"The application permission {permission} is missing or not consented. " if permission else ""
        remedy = missing + CONSENT
    text = f"Microsoft Graph answered {status} {first}: {message} [request-id {request_id}]"
    return GraphRefused(status, codes, text, remedy)


def without_trace(description: str) -> str:
    """The description without trace data and without anything long enough to be a token or an assertion."""
    said = re.split(r"Trace ID", description, maxsplit=1, flags=re.IGNORECASE)[0]
    hidden = re.sub(r"[A-Za-z0-9_\-.+/=~]{60,}", "…", said)
    return " ".join(hidden.split())[:400]


_SUPPORT_IDS = (("trace id", "trace_id"), ("correlation id", "correlation_id"), ("at", "timestamp"))


def _numbers_in(description: str) -> list[int]:
    return [int(number) for number in re.findall(r"AADSTS(\d+)", description)]


def _codes_in(error: Any) -> Iterator[str]:
    while isinstance(error, Mapping):
        if isinstance(error.get("code"), str):
            yield error["code"]
        error = error.get("innerError") or error.get("innererror")


def _message_of(error: Any) -> str:
    return str(error.get("message", "")) if isinstance(error, Mapping) else str(error or "")
