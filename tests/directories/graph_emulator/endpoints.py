"""Graph v1.0: the dozen URLs that a reader uses, with their permissions, limits and errors."""

import base64
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import orjson

from tests.directories.graph_emulator.delta import Rounds
from tests.directories.graph_emulator.tenant import Tenant, Thing, spelled, typed
from tests.directories.graph_emulator.wire import Answer, Request, graph_error, json_answer

DIRECTORY = "Directory.Read.All"
USERS = frozenset(("User.Read.All", DIRECTORY))
GROUPS = frozenset(("GroupMember.Read.All", "Group.Read.All", DIRECTORY))
RECYCLED_GROUPS = frozenset(("Group.Read.All", DIRECTORY))

_USER = "displayName givenName surname userPrincipalName mail jobTitle mobilePhone businessPhones officeLocation "
_USER += "preferredLanguage accountEnabled userType otherMails proxyAddresses department companyName employeeId "
_USER += "employeeType employeeHireDate onPremisesImmutableId onPremisesSyncEnabled onPremisesSamAccountName "
_USER += "onPremisesDomainName onPremisesSecurityIdentifier onPremisesUserPrincipalName mailNickname usageLocation "
_USER += "onPremisesDistinguishedName onPremisesExtensionAttributes city country state streetAddress postalCode "
_USER += "createdDateTime deletedDateTime externalUserState creationType id manager employeeOrgData"
_GROUP = "id displayName description groupTypes securityEnabled mailEnabled mail createdDateTime members "
_GROUP += "onPremisesSyncEnabled onPremisesSecurityIdentifier deletedDateTime"
KNOWN = {"user": frozenset(_USER.split()), "group": frozenset(_GROUP.split())}

_CONDITION = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
_ANY = re.compile(r"proxyAddresses/any\((\w+):\1 eq '((?:[^']|'')*)'\)")


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Endpoints:
    """Answers below ``/v1.0`` for a token that carries ``roles``."""

    def __init__(self, tenant: Tenant, rounds: Rounds, clock: Callable[[], datetime]) -> None:
        self.tenant = tenant
        self.rounds = rounds
        self.clock = clock
        self.oldest_token = 0  # delta tokens of earlier changes are refused with ``resync``
        self.resync: Answer = graph_error(410, "syncStateNotFound", Location="https://elsewhere.example/?$deltatoken=")
        self._routes: list[tuple[re.Pattern[str], Callable[..., Answer]]] = [
            (re.compile(r"/v1\.0/(users|groups)/delta"), self._delta),
            (re.compile(r"/v1\.0/(users|groups)"), self._list),
            (re.compile(r"/v1\.0/(users|groups)/([^/]+)"), self._single),
            (re.compile(r"/v1\.0/groups/([^/]+)/(members|transitiveMembers)"), self._members),
            (re.compile(r"/v1\.0/(users|groups)/([^/]+)/memberOf"), self._member_of),
            (re.compile(r"/v1\.0/users/([^/]+)/directReports"), self._direct_reports),
            (re.compile(r"/v1\.0/directory/deletedItems/microsoft\.graph\.(user|group)"), self._recycle_bin),
            (re.compile(r"/v1\.0/directory/deletedItems/([^/]+)"), self._recycled),
        ]

    def answer(self, request: Request, roles: frozenset[str]) -> Answer:
        for pattern, serve in self._routes:
            found = pattern.fullmatch(request.path)
            if found and request.method == "GET":
                try:
                    return serve(request, roles, *map(unquote, found.groups()))
                except Refused as refused:
                    return refused.answer
        return graph_error(400, "BadRequest", f"Resource not found for the segment '{request.path}'.")

    def _delta(self, request: Request, roles: frozenset[str], plural: str) -> Answer:
        kind = plural[:-1]
        _need(roles, USERS if kind == "user" else GROUPS)
        query = request.query
        if "$skiptoken" in query:
            state = _opened(query["$skiptoken"])
        elif query.get("$deltatoken") == "latest":
            state = {"since": self.tenant.number, "select": _select(query, kind)}
            return json_answer(200, {"value": [], "@odata.deltaLink": self._delta_link(request, state)})
        else:
            state = self._begin(query, kind)
        found = self.rounds.page(state["round"], state["index"])
        if found is None:
            raise Refused(graph_error(400, "Directory_ExpiredPageToken", "The specified page token value has expired."))
        entries, following, upto = found
        page: dict[str, Any] = {"@odata.context": f"{request.origin}/v1.0/$metadata#{plural}", "value": entries}
        base = request.url.partition("?")[0]
        if following is None:
            page["@odata.deltaLink"] = self._delta_link(request, {"since": upto, "select": state["select"]})
        else:
            page["@odata.nextLink"] = f"{base}?$skiptoken={_sealed({**state, 'index': following})}"
        return json_answer(200, page)

    def _begin(self, query: dict[str, str], kind: str) -> dict[str, Any]:
        if set(query) - {"$select", "$deltatoken"}:
            raise Refused(graph_error(400, "Request_UnsupportedQuery", "Query option is not supported."))
        if "$deltatoken" not in query:
            select = _select(query, kind)
            return {"round": self.rounds.begin(kind, select), "index": 0, "select": select}
        state = _opened(query["$deltatoken"])
        if state["since"] < self.oldest_token:
            raise Refused(self.resync)
        select = state["select"]
        return {"round": self.rounds.begin(kind, select, state["since"]), "index": 0, "select": select}

    def _delta_link(self, request: Request, state: dict[str, Any]) -> str:
        return f"{request.url.partition('?')[0]}?$deltatoken={_sealed(state)}"

    def _list(self, request: Request, roles: frozenset[str], plural: str) -> Answer:
        kind = plural[:-1]
        _need(roles, USERS if kind == "user" else GROUPS)
        query, select = request.query, _select(request.query, kind)
        things = self.tenant.live("user" if kind == "user" else "group")
        if "$filter" in query:
            things = [thing for thing in things if _matches(thing, query["$filter"])]
        page = self._listed(request, [self._spell(thing, select, query) for thing in things])
        if query.get("$count") == "true" and request.headers.get("consistencylevel") == "eventual":
            page["@odata.count"] = len(things)
        return json_answer(200, page)

    def _single(self, request: Request, roles: frozenset[str], plural: str, identifier: str) -> Answer:
        _need(roles, USERS if plural == "users" else GROUPS)
        thing = self.tenant.find(identifier, "user" if plural == "users" else "group")
        if thing is None:
            raise Refused(_not_found(identifier))
        return json_answer(200, self._spell(thing, _select(request.query, plural[:-1]), request.query))

    def _members(self, request: Request, roles: frozenset[str], group: str, relation: str) -> Answer:
        _need(roles, GROUPS)
        if self.tenant.find(group, "group") is None:
            raise Refused(_not_found(group))
        direct = relation == "members"
        things = self.tenant.members_of(group) if direct else self.tenant.transitive_members_of(group)
        return json_answer(200, self._listed(request, self._with_types(request, things)))

    def _member_of(self, request: Request, roles: frozenset[str], plural: str, member: str) -> Answer:
        _need(roles, USERS | GROUPS)
        if self.tenant.find(member, "user" if plural == "users" else "group") is None:
            raise Refused(_not_found(member))
        return json_answer(200, self._listed(request, self._with_types(request, self.tenant.groups_of(member))))

    def _direct_reports(self, request: Request, roles: frozenset[str], user: str) -> Answer:
        _need(roles, USERS)
        if self.tenant.find(user, "user") is None:
            raise Refused(_not_found(user))
        return json_answer(200, self._listed(request, self._with_types(request, self.tenant.reports_of(user))))

    def _recycle_bin(self, request: Request, roles: frozenset[str], kind: str) -> Answer:
        _need(roles, USERS if kind == "user" else RECYCLED_GROUPS)
        things = [thing for thing in self.tenant.things.values() if thing.kind == kind and thing.state == "soft"]
        return json_answer(200, self._listed(request, list(typed(things))))

    def _recycled(self, request: Request, roles: frozenset[str], identifier: str) -> Answer:
        thing = self.tenant.things.get(identifier)
        if thing is None or thing.state != "soft":
            raise Refused(_not_found(identifier))
        _need(roles, RECYCLED_GROUPS if thing.kind == "group" else USERS)
        return json_answer(200, next(typed([thing])))

    def _with_types(self, request: Request, things: list[Thing]) -> list[dict[str, Any]]:
        select = request.query.get("$select", "id").split(",")
        return [{"@odata.type": thing.type, **spelled(thing, select)} for thing in things]

    def _spell(self, thing: Thing, select: list[str], query: dict[str, str]) -> dict[str, Any]:
        entry = spelled(thing, select)
        manager = self.tenant.manager_of(thing.id)
        if query.get("$expand", "").startswith("manager") and manager is not None:
            entry["manager"] = {"@odata.type": manager.type, "id": manager.id}
        return entry

    def _listed(self, request: Request, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """A page of a list; ``$top`` is the page size and stays in the link, headers do not."""
        size = int(request.query.get("$top", "100"))
        if not 1 <= size <= 999:
            raise Refused(graph_error(400, "Request_BadRequest", "Invalid page size specified."))
        start = int(request.query.get("$skiptoken", "0"))
        page: dict[str, Any] = {"value": entries[start : start + size]}
        if start + size < len(entries):
            query = {**request.query, "$skiptoken": str(start + size)}
            options = "&".join(f"{name}={quote(value)}" for name, value in query.items())
            page["@odata.nextLink"] = f"{request.url.partition('?')[0]}?{options}"
        return page


def _need(roles: frozenset[str], enough: frozenset[str]) -> None:
    if not roles & enough:
        message = "Insufficient privileges to complete the operation."
        raise Refused(graph_error(403, "Authorization_RequestDenied", message))


def _not_found(identifier: str) -> Answer:
    message = (
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present."
    )
    return graph_error(404, "Request_ResourceNotFound", message)


def _select(query: dict[str, str], kind: str) -> list[str]:
    names = query.get("$select", "id,displayName,userPrincipalName" if kind == "user" else "id,displayName").split(",")
    for name in names:
        if name not in KNOWN[kind] and not name.startswith("extension_"):
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            raise Refused(graph_error(400, "BadRequest", message))
    return names


def _matches(thing: Thing, text: str) -> bool:
    return any(_fits(thing, condition) for condition in text.split(" or "))


def _fits(thing: Thing, condition: str) -> bool:
    aliases = _ANY.fullmatch(condition)
    if aliases:
        wanted = aliases[2].replace("''", "'").lower()
        return wanted in (address.lower() for address in thing.properties.get("proxyAddresses", ()))
    simple = _CONDITION.fullmatch(condition)
    if not simple:
        raise Refused(graph_error(400, "Request_UnsupportedQuery", "Unsupported Query."))
    return str(thing.properties.get(simple[1]) or "").lower() == simple[2].replace("''", "'").lower()


def _sealed(state: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(state)).decode().rstrip("=")


def _opened(token: str) -> dict[str, Any]:
    opened: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return opened
