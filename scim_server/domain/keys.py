"""Normalised keys: when two usernames, e-mail addresses or group names count as the same value.

Computed here and stored; the collation of the database never decides. A change of any rule is a new NORM_VERSION and
a migration that lists the collisions before it commits. Unicode tables change with Python, so does the set of
unassigned characters; characters once assigned keep their normal form (Unicode stability policy).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import idna

NORM_VERSION: Final = 1
"""Stored with every claim; a claim of another version was computed by other rules."""

USERNAME: Final = "username"
EMAIL: Final = "email"
GROUP_NAME: Final = "group"

Role = Literal["primary", "secondary", "login"]

_MAX_KEY_BYTES = 2000  # a PostgreSQL B-tree entry holds 2704 bytes, and the key shares it with its namespace
_MAX_DOMAIN = 253  # RFC 1035 section 2.3.4, without the trailing dot
_UNUSABLE = {"Cc": "holds a control character", "Cs": "holds half a character", "Cn": "holds an unassigned character"}
_ADDRESS_PREFIXES = ("smtp:", "mailto:")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class UnusableValue(ValueError):
    """A value that cannot become a key; the text never repeats the value, which is personal."""

    def __init__(self, reason: str, attribute: str = "") -> None:
        super().__init__(f"{attribute} {reason}".lstrip())
        self.reason = reason
        self.attribute = attribute


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """The right to a value: at most one live user (or group) holds each (namespace, key)."""

    ns: str
    key: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim that a document makes, with the spelling and the attribute it comes from.

    ``secondary`` addresses may be left out when taken; ``login`` is the address that a username spells.
    """

    claim: Claim
    raw: str
    role: Role
    attribute: str


def fold(text: str) -> str:
    """The comparison form of a caseExact=false string (RFC 7643 section 2.2); never raises, idempotent."""
    if text.isascii():
        return text.lower()
    return _fold(_without_format_characters(text))


def ukey(text: str) -> str:
    """The key of a username or group name; diacritics count, case, width and composition do not.

    Raises UnusableValue for an empty value and for control, surrogate or unassigned characters.
    """
    if text.isascii() and text.isprintable():
        key = text.lower().strip() if "  " not in text else " ".join(text.lower().split())
    else:
        visible = _without_format_characters(text)
        _refuse_unusable(visible)
        key = _fold(" ".join(visible.split()))
    return _checked(key)


def ekey(text: str) -> str:
    """The key of an e-mail address: local part as ``ukey``, domain as lower-case A-labels (UTS #46, IDNA 2008).

    A leading ``smtp:`` or ``mailto:`` is dropped; plus tags and dots are kept. Raises UnusableValue for anything that
    is not an address.
    """
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    local, at, domain = normal.rpartition("@")
    if not at:
        raise UnusableValue("is not an e-mail address: it has no @")
    if not local.strip():
        raise UnusableValue("is not an e-mail address: nothing stands before the @")
    return _checked(f"{_local_part(local)}@{_domain(domain)}")


def look_alike(text: str) -> str:
    """A coarser form for warnings, blind to diacritics and to the dot of an i; it decides nothing."""
    apart = unicodedata.normalize("NFKD", fold(text).replace("ı", "i"))
    return "".join(char for char in apart if unicodedata.category(char) != "Mn")


def claims_of(
    document: Mapping[str, Any],
    *,
    email_unique: bool = True,
    cross_login: bool = True,
    address_required: bool = True,
) -> list[Wanted]:
    """The claims of a user document, each claim once, the username first.

    With ``cross_login`` a username that spells an address takes the e-mail key as well, so that nobody else's e-mail
    can equal it; the user's own e-mail counts first. An e-mail that is no address raises UnusableValue when
    ``address_required`` (a pull reports the object), otherwise it takes no claim (Entra's SCIM Validator pushes random
    text). Raises UnusableValue naming the attribute also for a missing or unusable userName.
    """
    username = document.get("userName")
    if not isinstance(username, str):
        raise UnusableValue("is missing", "userName")
    found = [Wanted(Claim(USERNAME, _key_of("userName", username, ukey)), username, "primary", "userName")]
    if email_unique:
        found += _email_claims(document, address_required)
        login = _address_or_none(username) if cross_login else None
        if login and all(wanted.claim.key != login for wanted in found[1:]):
            found.append(Wanted(Claim(EMAIL, login), username, "login", "userName"))
    return found


def group_claims(document: Mapping[str, Any], *, unique: bool) -> list[Wanted]:
    """The claim of a group on its displayName, none where group names need not be unique. Raises UnusableValue."""
    if not unique:
        return []
    name = document.get("displayName")
    if not isinstance(name, str):
        raise UnusableValue("is missing", "displayName")
    return [Wanted(Claim(GROUP_NAME, _key_of("displayName", name, ukey)), name, "primary", "displayName")]


def _email_claims(document: Mapping[str, Any], address_required: bool) -> Iterator[Wanted]:
    elements = [element for element in document.get("emails") or () if element.get("value")]
    primary = _primary(elements)
    seen: set[str] = set()
    # the primary address first: where one address is listed twice, the stronger role stands
    for element in sorted(elements, key=lambda element: element is not primary):
        raw = element["value"]
        key = _key_of("emails", raw, ekey) if address_required else _address_or_none(raw)
        if key and key not in seen:
            seen.add(key)
            role: Role = "primary" if element is primary else "secondary"
            yield Wanted(Claim(EMAIL, key), raw, role, "emails")


def _primary(elements: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The element marked primary, else the one for work, else the first."""
    marked = [element for element in elements if element.get("primary") is True]
    work = [element for element in elements if str(element.get("type", "")).lower() == "work"]
    return next(iter([*marked, *work, *elements]), None)


def _key_of(attribute: str, raw: str, key: Callable[[str], str]) -> str:
    try:
        return key(raw)
    except UnusableValue as unusable:
        raise UnusableValue(unusable.reason, attribute) from unusable


def _address_or_none(text: str) -> str | None:
    try:
        return ekey(text)
    except UnusableValue:
        return None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())


def _without_format_characters(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(char for char in normal if unicodedata.category(char) != "Cf")
    # a dropped character may have kept a letter and its accent apart
    return unicodedata.normalize("NFKC", visible) if len(visible) != len(normal) else normal


def _refuse_unusable(text: str) -> None:
    for char in text:
        reason = _UNUSABLE.get(unicodedata.category(char))
        if reason:
            raise UnusableValue(reason)


def _checked(key: str) -> str:
    if not key:
        raise UnusableValue("is empty")
    if len(key) > _MAX_KEY_BYTES or len(key.encode()) > _MAX_KEY_BYTES:
        raise UnusableValue(f"is longer than {_MAX_KEY_BYTES} bytes")
    return key


def _local_part(text: str) -> str:
    local = ukey(text)
    while local.startswith(_ADDRESS_PREFIXES):
        local = local.partition(":")[2].lstrip()
    if not local:
        raise UnusableValue("is not an e-mail address: nothing stands before the @")
    if " " in local:
        raise UnusableValue("is not an e-mail address: it holds white space")
    return local


def _domain(text: str) -> str:
    domain = text.strip().lower().removesuffix(".")
    if len(domain) > _MAX_DOMAIN:
        raise UnusableValue("is not an e-mail address: the domain is too long")
    # the IDNA rules change nothing about plain host names; "--" may start an A-label and needs the full check
    if "--" not in domain and _PLAIN_DOMAIN.fullmatch(domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError) as error:
        raise UnusableValue("is not an e-mail address: the domain is not a valid name") from error
