"""The connection test: step by step, in words for an administrator."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final

from connectors.entra.auth import Tokens, roles_of
from connectors.entra.config import Config, looks_like_secret_id
from connectors.entra.connection import Patience
from connectors.entra.credentials import load_certificate
from connectors.entra.errors import CONSENT, EntraFailed
from connectors.entra.graph import ADVANCED, Graph
from connectors.entra.objects import READ_GROUPS, READ_USERS
from connectors.entra.scope import read_scope
from scim_server.domain.observations import Finding, Outcome

_IMPATIENT: Final = Patience(attempts=2, total=30.0, connect=5.0, silence=20.0, transfer=30.0)
_WARN_DAYS: Final = 30
_ENOUGH_FOR_USERS: Final = frozenset((READ_USERS, "Directory.Read.All"))
_ENOUGH_FOR_GROUPS: Final = frozenset((READ_GROUPS, "Group.Read.All", "Directory.Read.All"))
_EXPECTED: Final = frozenset((READ_USERS, READ_GROUPS, "Group.Read.All", "Member.Read.Hidden"))

Connect = Callable[[Patience | None], tuple[Graph, Tokens]]


def check_connection(config: Config, today: date, connect: Connect) -> Sequence[Finding]:
    """The findings up to the first step without which the next make no sense; never raises EntraFailed."""
    findings: list[Finding] = []
    for step in _steps(config, today, connect):
        findings.append(step)
    return findings


def _steps(config: Config, today: date, connect: Connect) -> Iterator[Finding]:
    yield from _credential(config, today)
    try:
        graph, tokens = connect(_IMPATIENT)
        token = tokens.current()
    except EntraFailed as failed:
        yield Finding("Sign-in", Outcome.FAILED, failed.text, failed.remedy)
        return
    yield Finding("Sign-in", Outcome.OK, f"{config.endpoints.authority} accepted the application.")
    roles = roles_of(token)
    if roles is not None:
        yield from _permissions(roles, with_groups=config.import_groups)
    yield _objects_seen(graph, "Users", "userPrincipalName", READ_USERS)
    if config.import_groups:
        yield _objects_seen(graph, "Groups", "displayName", READ_GROUPS)
    if config.scope_groups:
        yield _scope(graph, config)


def _credential(config: Config, today: date) -> Iterator[Finding]:
    if config.certificate_path:
        yield _certificate(config, today)
        return
    if looks_like_secret_id(config.client_secret):
        yield Finding(
            "Credential",
            Outcome.WARNING,
            "The client secret looks like a GUID, so it is most likely the Secret ID.",
            "Enter the secret's Value; it is shown only when the secret is created.",
        )
    yield _expiry("The client secret", config.secret_expires_on, today)


def _certificate(config: Config, today: date) -> Finding:
    try:
        certificate = load_certificate(config.certificate_path, config.certificate_passphrase)
    except EntraFailed as failed:
        return Finding("Credential", Outcome.FAILED, failed.text, failed.remedy)
    return _expiry(
        f"The certificate with the thumbprint {certificate.thumbprint}", certificate.expires_at.date(), today
    )


def _expiry(what: str, day: date | None, today: date) -> Finding:
    if day is None:
        text = f"{what} has no expiry date noted here."
        return Finding("Credential", Outcome.OK, text, "Enter the date from the app registration to be warned in time.")
    days = (day - today).days
    if days < 0:
        return Finding(
            "Credential", Outcome.WARNING, f"{what} expired on {day}.", "Create a new one and enter it here."
        )
    outcome = Outcome.WARNING if days < _WARN_DAYS else Outcome.OK
    remedy = "Create a new one in time and enter it here." if outcome is Outcome.WARNING else ""
    return Finding("Credential", outcome, f"{what} expires on {day}, in {days} days.", remedy)


def _permissions(roles: frozenset[str], *, with_groups: bool) -> Iterator[Finding]:
    """What the token's roles say; only for words here, Graph decides."""
    missing = [] if roles & _ENOUGH_FOR_USERS else [READ_USERS]
    if with_groups and not roles & _ENOUGH_FOR_GROUPS:
        missing.append(READ_GROUPS)
    if missing:
        text = f"The application permission {' and '.join(missing)} is missing or not consented."
        yield Finding("Permissions", Outcome.FAILED, text, CONSENT)
    needless = sorted(roles - _EXPECTED)
    if needless:
        text = f"The application holds more rights than reading needs: {', '.join(needless)}."
        remedy = f"{READ_USERS} and {READ_GROUPS} are enough; remove the others from the app registration."
        yield Finding("Permissions", Outcome.WARNING, text, remedy)
    if not missing and not needless:
        yield Finding("Permissions", Outcome.OK, f"Granted: {', '.join(sorted(roles))}.")


def _objects_seen(graph: Graph, step: str, name: str, permission: str) -> Finding:
    query = {"$select": f"id,{name}", "$top": "5", "$count": "true"}
    try:
        page = graph.get(graph.url(step.lower()), query, permission=permission, headers=ADVANCED)
    except EntraFailed as failed:
        return Finding(step, Outcome.FAILED, failed.text, failed.remedy)
    first = [str(entry.get(name) or entry.get("id")) for entry in page.get("value") or ()]
    if not first:
        return Finding(step, Outcome.WARNING, f"No {step.lower()} can be seen.", "Check that this is the right tenant.")
    total: Any = page.get("@odata.count", f"at least {len(first)}")
    return Finding(step, Outcome.OK, f"{total} {step.lower()}; the first are {', '.join(first)}.")


def _scope(graph: Graph, config: Config) -> Finding:
    try:
        scope = read_scope(graph, config.scope_groups, only_members=True, import_groups=True)
    except EntraFailed as failed:
        return Finding("Scope groups", Outcome.FAILED, failed.text, failed.remedy)
    users, groups = len(scope.users or ()), len(scope.groups or ())
    text = f"{users} users in {groups} groups, nested ones included."
    if not users:
        return Finding("Scope groups", Outcome.WARNING, text, "Add members, or choose other scope groups.")
    return Finding("Scope groups", Outcome.OK, text)
