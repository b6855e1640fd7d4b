"""A small world of users and groups with awkward values, and random filters over it."""

from collections.abc import Iterator
from random import Random
from typing import Any

from scim_server.scim.characteristics import Attribute, Schema, Type
from scim_server.scim.filters.tree import Operator
from scim_server.scim.registry import AttributeRef, ResourceType, SchemaRegistry
from scim_server.store.engine import Database
from tests.store.population import Population

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BADGE = "urn:example:params:scim:schemas:extension:badge:2.0:User"
REGISTRY = SchemaRegistry.standard(
    [
        Schema(
            BADGE,
            "Badge",
            "Every type that the core schema lacks.",
            (
                Attribute("level", Type.INTEGER),
                Attribute("hours", Type.DECIMAL),
                Attribute("expires", Type.DATE_TIME),
                Attribute("locked", Type.BOOLEAN),
                Attribute("photo", Type.BINARY, case_exact=True),
                Attribute("doors", multi_valued=True),
                Attribute("codes", multi_valued=True, case_exact=True),
                Attribute("desk", Type.COMPLEX, sub_attributes=(Attribute("tags", multi_valued=True),)),
                Attribute(
                    "keys", Type.COMPLEX, multi_valued=True, sub_attributes=(Attribute("tags", multi_valued=True),)
                ),
            ),
        )
    ]
)
USER, GROUP = REGISTRY.user, REGISTRY.group

TEXTS = (
    *("alpha", "Alpha", "ALPHABET", "beta", "be_ta", "be%ta", "50%", "a\\b", 'say "hi"', " padded ", "x" * 128),
    *("x" * 127 + "y", "x" * 128 + "tail", "X" * 128 + "TAIL more", "x" * 129, "É", "é", "STRASSE", "straße", "ΣΑΣ"),
    *("σας", "İstanbul", "istanbul", "ﬁne", "fine", "zero\u200bwidth", "日本", "𝒳", "\U0010fffe", "\ud7ff", "~", "0"),
)
TIMES = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.000000001Z",
    "2025-12-31T23:59:59.9Z",
)
STORED_TIMES = ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z", "2025-12-31T23:59:59.900000Z")
NUMBERS = (0, 1, -1, 10, 9, -10, 2**63 - 1, -(2**63), 100)
DECIMALS = (0, 0.5, -0.5, 1.25, 1e300, -1e-300, 3, -0.0, 12345.678)
KINDS = ("work", "home", "Other", "mobile")
DIRECT = {True: "direct", False: "indirect"}


class World:
    """Forty users, eight groups that contain users and each other, and what a client would see of each."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.users = [self._user(number) for number in range(40)]
        self.groups = [self._group(number) for number in range(8)]
        self.direct: dict[str, set[str]] = {
            group["id"]: {
                *(user["id"] for user in self.random.sample(self.users, self.random.randint(0, 6))),
                *(other["id"] for other in self.random.sample(self.groups, self.random.randint(0, 2))),
            }
            for group in self.groups
        }
        self._show_relations()

    def store(self, database: Database) -> None:
        """All of it in tenant 1; tenant 2 holds the same users, and tombstones and others' groups must not show."""
        population = Population(database, 1, REGISTRY)
        population.add("User", [_stored(user) for user in self.users])
        population.add("Group", [_stored(group) for group in self.groups])
        population.add("User", [{**_stored(self.users[0]), "id": "buried"}], state="tombstone")
        population.add("Group", [{"id": "buried-group", "displayName": "alpha"}], state="tombstone")
        for group, members in self.direct.items():
            population.join(group, [*sorted(members), "buried"])
        population.join("buried-group", [self.users[0]["id"]])
        stranger = Population(database, 2, REGISTRY)
        stranger.add("User", [_stored(user) for user in self.users])

    def filters(self, resource_type: ResourceType, count: int) -> Iterator[str]:
        """Random filters, every attribute and operator among them."""
        refs = list(_searchable(resource_type))
        for _ in range(count):
            yield self._filter(refs, self.random.choice((0, 0, 1, 1, 2)))

    def _filter(self, refs: list[AttributeRef], depth: int) -> str:
        if depth == 0:
            return self._leaf(refs)
        joint = self.random.choice((" and ", " or ", "not"))
        if joint == "not":
            return f"not ({self._filter(refs, depth - 1)})"
        parts = [self._filter(refs, depth - 1) for _ in range(self.random.randint(2, 3))]
        return joint.join(f"({part})" if self.random.random() < 0.5 else part for part in parts)

    def _leaf(self, refs: list[AttributeRef]) -> str:
        ref = self.random.choice(refs)
        if not ref.is_multi_valued or self.random.random() < 0.4:
            return self._test(ref, ref.path)
        subs = [AttributeRef(ref.urn, ref.attribute, sub) for sub in ref.attribute.sub_attributes] or [ref]
        inner = [self._test(each, each.sub.name if each.sub else "value") for each in self.random.choices(subs, k=2)]
        whole = AttributeRef(ref.urn, ref.attribute).path
        text = self.random.choice((inner[0], " and ".join(inner), " or ".join(inner), f"not ({inner[0]})"))
        if subs[0].sub and self.random.random() < 0.3:
            last = self.random.choice(subs)
            assert last.sub
            return self._test(last, f"{whole}[{text}].{last.sub.name}")
        return f"{whole}[{text}]"

    def _test(self, ref: AttributeRef, path: str) -> str:
        leaf = ref.leaf
        if leaf.is_complex or self.random.random() < 0.15:
            return f"{path} {self.random.choice(('pr', 'pr', 'eq null', 'ne null'))}"
        operators = {
            Type.BOOLEAN: ("eq", "ne"),
            Type.BINARY: ("eq", "ne"),
            Type.STRING: ("ne", *Operator),
            Type.REFERENCE: ("ne", *Operator),
        }.get(leaf.type, ("eq", "ne", "gt", "ge", "lt", "le"))
        return f"{path} {self.random.choice(operators)} {self._literal(ref)}"

    def _literal(self, ref: AttributeRef) -> str:
        leaf, choice = ref.leaf, self.random.choice
        if leaf.type is Type.BOOLEAN:
            return choice(("true", "false", '"True"', "False"))
        if leaf.type in (Type.INTEGER, Type.DECIMAL):
            return repr(choice(NUMBERS + DECIMALS))
        if leaf.type is Type.DATE_TIME:
            return f'"{choice(TIMES + STORED_TIMES)}"'
        text = self._text(ref)
        cut = self.random.randint(0, len(text)) if self.random.random() < 0.3 else 0
        text = self.random.choice((text, text[:cut] or text, text[cut:], text.upper(), text.swapcase()))
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def _text(self, ref: AttributeRef) -> str:
        choice = self.random.choice
        known = {"id": "u1", "schemas": USER.core.id, "resourceType": "User", "version": 'W/"3"', "photo": "QUJD"}
        if ref.leaf.name in known:
            return known[ref.leaf.name]
        if ref.leaf.name in ("$ref", "location"):
            return choice(("../Users/u1", "https://host.example/scim/v2/Groups/g1", "Users/u2", "nothing"))
        if ref.leaf.name == "value" and ref.attribute.name in ("groups", "members", "manager"):
            return choice(("u1", "u2", "g0", "g1", "g2"))
        if ref.leaf.name == "type":
            return choice((*KINDS, "direct", "indirect", "User", "Group"))
        return choice(TEXTS)

    def _user(self, number: int) -> dict[str, Any]:
        choice, chance = self.random.choice, self.random.random
        user: dict[str, Any] = {"id": f"u{number}", "userName": f"{choice(TEXTS)}{number}", "active": chance() < 0.7}
        for name in ("title", "displayName", "nickName", "externalId", "profileUrl", "locale"):
            if chance() < 0.5:
                user[name] = choice(TEXTS)
        if chance() < 0.6:
            user["name"] = {"familyName": choice(TEXTS), "givenName": choice(TEXTS)}
        for name in ("emails", "phoneNumbers", "addresses", "roles"):
            if chance() < 0.6:
                user[name] = [self._element(name) for _ in range(self.random.randint(1, 3))]
        if chance() < 0.5:
            manager = choice(("u1", "u2"))
            user[ENTERPRISE] = {
                "department": choice(TEXTS),
                "manager": {"value": manager, "$ref": f"../Users/{manager}"},
            }
        if chance() < 0.7:
            user[BADGE] = self._badge()
        extensions = [urn for urn in (ENTERPRISE, BADGE) if urn in user]
        return self._framed("User", {**user, "schemas": [USER.core.id, *extensions]})

    def _element(self, name: str) -> dict[str, Any]:
        choice, chance = self.random.choice, self.random.random
        element: dict[str, Any] = {"locality" if name == "addresses" else "value": choice(TEXTS)}
        if chance() < 0.7:
            element["type"] = choice(KINDS)
        if chance() < 0.4:
            element["primary"] = chance() < 0.5
        return element

    def _badge(self) -> dict[str, Any]:
        choice = self.random.choice
        badge = {
            "level": choice(NUMBERS),
            "hours": choice(DECIMALS),
            "expires": choice(TIMES),
            "locked": choice((True, False)),
            "photo": choice(("QUJD", "REVG")),
            "doors": self.random.sample(TEXTS, 2),
            "codes": self.random.sample(TEXTS, 1),
            "desk": {"tags": self.random.sample(TEXTS, 2)},
            "keys": [{"tags": self.random.sample(TEXTS, 2)} for _ in range(2)],
        }
        return {name: value for name, value in badge.items() if self.random.random() < 0.7}

    def _group(self, number: int) -> dict[str, Any]:
        group: dict[str, Any] = {
            "id": f"g{number}",
            "displayName": self.random.choice(TEXTS),
            "schemas": [GROUP.core.id],
        }
        if number % 2:
            group["externalId"] = self.random.choice(TEXTS)
        return self._framed("Group", group)

    def _framed(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        choice = self.random.choice
        document["meta"] = {
            "resourceType": kind,
            "created": choice(STORED_TIMES),
            "lastModified": choice(STORED_TIMES),
            "location": f"../{kind}s/{document['id']}",
            "version": f'W/"{choice((1, 3, 12))}"',
        }
        return document

    def _show_relations(self) -> None:
        """``members`` and ``groups`` as the wire shows them; what is buried shows nowhere."""
        shown = {each["id"]: each.get("displayName") or each.get("userName") for each in (*self.users, *self.groups)}
        for group in self.groups:
            group["members"] = [
                {"value": key, "$ref": f"../{_kind(key)}s/{key}", "display": shown[key], "type": _kind(key)}
                for key in sorted(self.direct[group["id"]])
            ]
        for user in self.users:
            user["groups"] = [
                {
                    "value": group["id"],
                    "$ref": f"../Groups/{group['id']}",
                    "display": group["displayName"],
                    "type": DIRECT[user["id"] in self.direct[group["id"]]],
                }
                for group in self.groups
                if user["id"] in self._below(group["id"])
            ]

    def _below(self, group: str) -> set[str]:
        found, waiting = set(), [group]
        while waiting:
            for member in self.direct.get(waiting.pop(), ()):
                if member not in found:
                    found.add(member)
                    waiting.append(member)
        return found


def _kind(key: str) -> str:
    return "User" if key.startswith("u") else "Group"


def _stored(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("members", "groups")}


def _searchable(resource_type: ResourceType) -> Iterator[AttributeRef]:
    for ref in resource_type.references():
        if ref.attribute.name == "password":
            continue
        yield ref
        for sub in ref.attribute.sub_attributes:
            yield AttributeRef(ref.urn, ref.attribute, sub)
