"""What went wrong with a directory, in words for an administrator."""

import re
from collections.abc import Mapping
from typing import Final

from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPException,
    LDAPOperationResult,
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
    LDAPStartTLSError,
)


class DirectoryError(Exception):
    """A step failed; ``remedy`` says what to do. Neither text holds a secret."""

    def __init__(self, text: str, remedy: str = "", code: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy
        self.code = code
        """The LDAP result code (RFC 4511 section 4.1.9), None when there was no answer."""


class SignInRefused(DirectoryError):
    """The domain controller answered and refused the bind; another would refuse it too and count towards lockout."""


BIND_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "525": ("the account does not exist", "Check the bind DN; user@domain or DOMAIN\\name work as well."),
    "52e": ("the name or the password is wrong", "Enter the password again; check the bind DN."),
    "530": ("the account may not sign in at this time", "Remove the logon hours of the service account."),
    "531": ("the account may not sign in from here", "Clear the list of workstations of the service account."),
    "532": ("the password has expired", "Set a new password and let it never expire."),
    "533": ("the account is disabled", "Enable the service account."),
    "701": ("the account has expired", "Remove the expiry date of the service account."),
    "773": ("the password must be changed first", "Clear 'User must change password at next logon'."),
    "775": ("the account is locked out", "Unlock it, and find out who tries a wrong password."),
}
"""Sub-codes of error 49 (Microsoft Learn, "LDAP error codes", and winerror.h)."""

_RESULTS: Final[Mapping[int, tuple[str, str]]] = {
    3: ("the domain controller stopped at its time limit", "Use a smaller base DN or a longer read timeout."),
    4: ("the domain controller stopped at its size limit", "Use a page size of at most MaxPageSize, normally 1000."),
    8: ("the domain controller wants an encrypted connection", "Use ldaps:// or ldap:// with STARTTLS."),
    10: ("the domain controller points to another one", "Use a base DN of the domain that this controller holds."),
    11: ("the domain controller stopped at an administrative limit", "Use a smaller base DN or page size."),
    32: (
        "the object does not exist, or the account may not see it",
        "Check the DN: it may have been renamed or moved.",
    ),
    34: ("the DN is malformed", "Check commas, backslashes and blanks in the DN."),
    50: ("the account has no right to do this", "Grant the right to the service account."),
    51: ("the domain controller is busy", "Try again later."),
    52: ("the domain controller is not available", "Try again later, or another domain controller."),
    53: ("the domain controller refuses the request", "Look into the Directory Service log of the domain controller."),
}


def explain(error: LDAPException, url: str) -> DirectoryError:
    """The exception of ldap3 in words."""
    if isinstance(error, LDAPOperationResult):
        return explain_result(error.result, str(error.description), str(error.message or ""), url)
    if isinstance(error, LDAPSocketOpenError | LDAPStartTLSError):
        return explain_opening(str(error), url)
    if isinstance(error, LDAPBindError):
        return SignInRefused(f"{url}: the sign-in was refused", "Check bind DN and password.")
    if isinstance(error, LDAPSessionTerminatedByServerError):
        return DirectoryError(f"{url}: the connection was cut before the answer was complete", "Try again.")
    if isinstance(error, LDAPSocketReceiveError | LDAPSocketSendError):
        return DirectoryError(
            f"{url}: the answer did not arrive in time or was cut", "Try again; raise the read timeout if it repeats."
        )
    return DirectoryError(f"{url}: {type(error).__name__}", "Look into the log of the domain controller.")


def explain_result(code: int, description: str, message: str, url: str) -> DirectoryError:
    """The result of an operation in words; ``message`` is the server's diagnostic text."""
    if code == 49:
        found = re.search(r"data ([0-9a-f]+)", message)
        reason, remedy = BIND_CODES.get(found[1] if found else "", ("bad credentials", "Check bind DN and password."))
        return SignInRefused(f"{url}: the sign-in was refused: {reason}", remedy, code)
    reason, remedy = _RESULTS.get(code, (description, "Look into the log of the domain controller."))
    return DirectoryError(f"{url}: {reason}", remedy, code)


def explain_opening(text: str, url: str) -> DirectoryError:
    """Why no connection came about, from the texts of OpenSSL and the operating system."""
    for pattern, reason, remedy in _OPENING:
        if re.search(pattern, text, re.IGNORECASE):
            return DirectoryError(f"{url}: {reason}", remedy)
    return DirectoryError(f"{url}: no connection", "Check address, port and firewall.")


_OPENING: Final = (
    (r"certificate has expired", "the certificate has expired", "Renew the certificate of the domain controller."),
    (
        r"hostname mismatch|IP address mismatch|doesn't match",
        "the certificate belongs to another name",
        "Use a host name that the certificate lists, not an address or alias.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|unable to get (local )?issuer|self.signed",
        "the certificate comes from an unknown authority",
        "Export the root certificate of your enterprise CA as PEM and name the file as CA file.",
    ),
    (
        r"WRONG_VERSION_NUMBER|record layer|UNEXPECTED_EOF|EOF occurred",
        "nobody speaks TLS there",
        "ldaps:// belongs to port 636, ldap:// with STARTTLS to port 389; the controller needs a certificate.",
    ),
    (
        r"startTLS failed",
        "STARTTLS was refused",
        "The domain controller needs a certificate for server authentication.",
    ),
    (r"timed out|temporarily unavailable", "no answer in time", "Check address, port and firewall."),
    (r"refused", "nobody listens on this port", "Check the port, and that the domain controller runs."),
    (
        r"invalid server address|name or service|getaddrinfo",
        "the name cannot be resolved",
        "Check the host name and the DNS servers of this machine.",
    ),
)
