"""The connection test: each step that a read needs, in words, with the remedy where it fails."""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from connectors.active_directory.changes import deleted_objects, start_dirsync
from connectors.active_directory.config import Config, host_and_port
from connectors.active_directory.connection import (
    NO_ATTRIBUTES,
    DomainController,
    close,
    open_encrypted,
    sign_in,
    tls_context,
)
from connectors.active_directory.entries import Entry
from connectors.active_directory.errors import DirectoryError, SignInRefused, explain_opening
from connectors.active_directory.queries import groups, people
from connectors.active_directory.scope import Scope, resolve_scope
from connectors.active_directory.values import from_generalized_time
from scim_server.domain.observations import Finding, Kind, Outcome

_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
_EXPIRES_SOON: Final = timedelta(days=30)
_SHOWN: Final = 5


def check(config: Config, now: Callable[[], datetime]) -> Sequence[Finding]:
    """What works and what does not, controller by controller; never raises. The first that works counts the scope."""
    findings: list[Finding] = []
    is_counted = False
    for url in config.urls:
        try:
            findings += _check_network(url, config)
            findings.append(_check_encryption(url, config, now))
            with _signed_in(url, config) as controller:
                findings.append(Finding("sign-in", Outcome.OK, f"{url}: {config.bind_dn} signed in"))
                findings += _check_directory(controller, config, now, is_counted=is_counted)
            is_counted = True
        except _Stopped as stopped:
            findings.append(stopped.finding)
            if stopped.is_refused:
                break  # every further attempt would count towards the lockout of the account
        except DirectoryError as error:
            findings.append(Finding("directory", Outcome.FAILED, error.text, error.remedy))
        except ValueError:
            text = f"{url}: the controller's certificate or its description of itself cannot be understood"
            findings.append(Finding("directory", Outcome.FAILED, text, "Look into the log of the domain controller."))
    return findings


class _Stopped(Exception):
    """A step failed and the later ones make no sense."""

    def __init__(self, step: str, error: DirectoryError, more: str = "") -> None:
        super().__init__(error.text)
        self.finding = Finding(step, Outcome.FAILED, error.text + more, error.remedy)
        self.is_refused = isinstance(error, SignInRefused)


def _check_network(url: str, config: Config) -> Iterator[Finding]:
    host, port, _ = host_and_port(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _Stopped("name", explain_opening("getaddrinfo", url)) from error
    yield Finding("name", Outcome.OK, f"{host} is {', '.join(sorted({str(address[4][0]) for address in found}))}")
    try:
        socket.create_connection((host, port), config.connect_timeout).close()
    except OSError as error:
        raise _Stopped("network", explain_opening(str(error), url)) from error
    yield Finding("network", Outcome.OK, f"{host} answers on port {port}")


def _check_encryption(url: str, config: Config, now: Callable[[], datetime]) -> Finding:
    try:
        certificate = _certificate(url, config, tls_context(config))
    except DirectoryError as error:
        raise _Stopped("encryption", error, _shown_certificate(url, config)) from error
    whose, expires = _describe(certificate)
    text = f"{url}: the certificate of {whose}, valid until {expires:%Y-%m-%d}"
    if not config.verify_certificate:
        return Finding("encryption", Outcome.WARNING, f"{text}, is not verified", "Switch the verification on.")
    if expires - now() < _EXPIRES_SOON:
        return Finding("encryption", Outcome.WARNING, text, "Renew the certificate soon.")
    return Finding("encryption", Outcome.OK, text)


def _shown_certificate(url: str, config: Config) -> str:
    """Whose certificate was refused; nothing is sent on that connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        whose, expires = _describe(_certificate(url, config, context))
    except DirectoryError:
        return ""
    return f" (the certificate of {whose}, valid until {expires:%Y-%m-%d})"


def _certificate(url: str, config: Config, context: ssl.SSLContext) -> x509.Certificate:
    connection = open_encrypted(config, url, context)
    try:
        return x509.load_der_x509_certificate(connection.socket.getpeercert(True))
    finally:
        close(connection)


def _describe(certificate: x509.Certificate) -> tuple[str, datetime]:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    issuers = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject, issuer = (str(found[0].value) if found else "(no name)" for found in (names, issuers))
    return f"{subject}, issued by {issuer}", certificate.not_valid_after_utc


def _signed_in(url: str, config: Config) -> DomainController:
    try:
        return DomainController(url, sign_in(config, url), config)
    except DirectoryError as error:
        raise _Stopped("sign-in", error) from error


def _check_directory(
    controller: DomainController, config: Config, now: Callable[[], datetime], *, is_counted: bool
) -> Iterator[Finding]:
    try:
        scope = resolve_scope(controller, config)
    except DirectoryError as error:
        raise _Stopped("scope", error) from error
    yield Finding("scope", Outcome.OK, f"{scope.root} ({scope.domain_name}): {'; '.join(scope.bases)}")
    yield _check_deleted_objects(controller, scope)
    yield _check_dirsync(controller, scope, config)
    yield _check_clock(controller, now())
    if not is_counted:
        yield _count(controller, config, scope)


def _check_deleted_objects(controller: DomainController, scope: Scope) -> Finding:
    if next(deleted_objects(controller, scope.root, page_size=1), None):
        return Finding("deleted objects", Outcome.OK, "deleted people and groups are visible")
    return Finding(
        "deleted objects",
        Outcome.WARNING,
        "no deleted object is visible: either none exists or the account may not list them; "
        "deletions then show in full reads only, unless Active Directory tells them by DirSync",
        f'On a domain controller: dsacls "CN=Deleted Objects,{scope.root}" /takeownership, '
        f'then dsacls "CN=Deleted Objects,{scope.root}" /G <account>:LCRP',
    )


def _check_dirsync(controller: DomainController, scope: Scope, config: Config) -> Finding:
    if start_dirsync(controller, scope.root, config) is not None:
        return Finding("changes", Outcome.OK, "DirSync tells every change")
    return Finding(
        "changes",
        Outcome.WARNING,
        "the account may not use DirSync; changes are found by uSNChanged",
        f'For DirSync grant "Replicating Directory Changes" on {scope.root} (not "... All").',
    )


def _check_clock(controller: DomainController, now: datetime) -> Finding:
    theirs = from_generalized_time(controller.root(["currentTime"]).text("currentTime"))
    difference = abs(theirs - now.astimezone(UTC))
    text = f"the clocks differ by {difference.total_seconds():.0f} s"
    if difference > _CLOCK_DIFFERENCE:
        return Finding("clock", Outcome.WARNING, text, "Let this machine and the controller use the same time source.")
    return Finding("clock", Outcome.OK, text)


def _count(controller: DomainController, config: Config, scope: Scope) -> Finding:
    """How many people and groups a full read would bring, and the first names among them."""
    names: list[str] = []
    counts = {"people": 0, "groups": 0}
    queries = {"people": people(config), **({"groups": groups(config)} if config.import_groups else {})}
    for what, query in queries.items():
        kind = Kind.USER if what == "people" else Kind.GROUP
        for entry in _entries(controller, scope, query):
            if scope.covers(kind, entry.guid):
                counts[what] += 1
                names += [entry.dn] if len(names) < _SHOWN and kind is Kind.USER else []
    text = f"{counts['people']} people and {counts['groups']} groups in scope"
    if not counts["people"]:
        return Finding("count", Outcome.WARNING, text, "Check base DNs, filter and the account's right to read.")
    return Finding("count", Outcome.OK, f"{text}; the first: {'; '.join(names)}")


def _entries(controller: DomainController, scope: Scope, query: str) -> Iterator[Entry]:
    for base in scope.bases:
        for page in controller.search(base, query, NO_ATTRIBUTES):
            yield from page
