"""A directory of people to measure with, written through the reconciler as a provisioning client would."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote

from scim_server.admin.tenants import Tenants
from scim_server.admin.tokens import Tokens
from scim_server.factory import build_services
from scim_server.reconciler.push import Order
from scim_server.scim.dialects import Dialect
from scim_server.scim.registry import SchemaRegistry
from scim_server.settings import Settings
from scim_server.store.migration import upgrade

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

BASE = "/scim/v2"

Make = Callable[[int], tuple[str, str, int, object]]


def user(number: int) -> dict[str, object]:
    """A user as Entra ID creates one, about 1.5 KB."""
    name = f"user{number:06}"
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"00000000-0000-4000-8000-{number:012x}",
        "userName": f"{name}@bench.example",
        "displayName": f"Given{number % 997} Family{number}",
        "name": {
            "givenName": f"Given{number % 997}",
            "familyName": f"Family{number}",
            "formatted": f"Given Family {number}",
        },
        "title": ("Engineer", "Planner", "Buyer", "Analyst")[number % 4],
        "active": True,
        "preferredLanguage": "en-GB",
        "emails": [{"value": f"{name}@bench.example", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": f"+44 20 7946 {number % 10000:04}", "type": "work"}],
        "addresses": [
            {"type": "work", "locality": "Utrecht", "country": "NL", "postalCode": f"{number % 9000 + 1000}"}
        ],
        ENTERPRISE: {"department": f"Department {number % 50}", "employeeNumber": f"{number}"},
    }


@dataclass
class Population:
    """What was loaded, and the requests of the table over it."""

    environment: dict[str, str]
    token: str
    size: int
    rate: float
    user_ids: list[str]
    small_group: str
    large_group: str
    _fresh: Iterator[int] = field(default_factory=lambda: count(10_000_000))

    def operations(self) -> Iterator[tuple[str, Make, int]]:
        """Name, request for each turn, and by how much fewer to send because one costs more."""
        pick = self._pick
        yield "GET by id", lambda turn: ("GET", f"{BASE}/Users/{pick(turn)}", 200, None), 1
        yield (
            'userName eq "..."',
            lambda turn: self._find(f'userName eq "user{self._number(turn):06}@bench.example"'),
            1,
        )
        yield (
            'externalId eq "..."',
            lambda turn: self._find(f'externalId eq "00000000-0000-4000-8000-{self._number(turn):012x}"'),
            1,
        )
        yield (
            'emails[type eq "work"].value eq "..."',
            lambda turn: self._find(f'emails[type eq "work"].value eq "user{self._number(turn):06}@bench.example"'),
            1,
        )
        yield "list of 100, first page", lambda _turn: ("GET", f"{BASE}/Users?count=100", 200, None), 4
        yield "list of 100, cursor", lambda _turn: ("GET", f"{BASE}/Users?count=100&cursor=", 200, None), 4
        yield "POST", lambda _turn: ("POST", f"{BASE}/Users", 201, user(next(self._fresh))), 1
        yield (
            "PUT",
            lambda turn: ("PUT", f"{BASE}/Users/{pick(turn)}", 200, {**user(self._number(turn)), "title": f"T{turn}"}),
            1,
        )
        yield (
            "PATCH active",
            lambda turn: ("PATCH", f"{BASE}/Users/{pick(turn // 2)}", 200, _activity(turn % 2 == 1)),
            1,
        )
        yield "add and remove a member, group of 10", lambda turn: self._member(self.small_group, turn), 1
        yield f"add and remove a member, group of {self.size}", lambda turn: self._member(self.large_group, turn), 1
        yield "general filter, no index", lambda _turn: self._find('title co "gine" and not (active eq false)', 1), 100

    def _number(self, turn: int) -> int:
        return turn * 7919 % self.size

    def _pick(self, turn: int) -> str:
        return self.user_ids[self._number(turn)]

    def _find(self, text: str, most: int = 100) -> tuple[str, str, int, object]:
        return "GET", f"{BASE}/Users?filter={quote(text)}&count={most}", 200, None

    def _member(self, group: str, turn: int) -> tuple[str, str, int, object]:
        member = self._pick(turn // 2 + 20)
        operation = (
            {"op": "Add", "path": "members", "value": [{"value": member}]}
            if turn % 2 == 0
            else {"op": "Remove", "path": "members", "value": [{"value": member}]}
        )
        return "PATCH", f"{BASE}/Groups/{group}", 204, {"schemas": [PATCH], "Operations": [operation]}


def _activity(active: bool) -> object:
    return {"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": str(active)}]}


def populate(folder: str, size: int, database_url: str = "") -> Population:
    """``size`` users and two groups, each written as a push, in a new database below ``folder`` or in an empty one."""
    environment = {"SCIM_SERVER_DATA_DIR": folder, "SCIM_SERVER_LOG_LEVEL": "warning"}
    if database_url:
        environment["SCIM_SERVER_DATABASE_URL"] = database_url
    services = build_services(Settings.from_environment({**os.environ, **environment}))
    upgrade(services.settings.database)
    tenant, _ = Tenants(services.database, services.clock).ensure_default()
    _, token = Tokens(services.database, services.clock).create(tenant.id, "entra-push", "bench")
    client = services.tokens.find(token)
    if client is None:
        raise RuntimeError("the new token is not recognised")
    registry = SchemaRegistry.standard()

    def create(kind: str, body: object) -> str:
        order = Order(client, registry.type_named(kind), Dialect())
        return services.push.create(order, body).resource.id

    started = time.perf_counter()
    ids = [create("User", user(number)) for number in range(size)]
    rate = size / (time.perf_counter() - started)
    groups = [
        create("Group", {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members]})
        for name, members in (("small", ids[:10]), ("large", ids))
    ]
    services.database.close()
    return Population(environment, token, size, rate, ids, *groups)
