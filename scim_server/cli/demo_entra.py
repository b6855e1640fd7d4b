"""One provisioning cycle of Entra ID, played over HTTP: the requests it really sends and the answers it needs.

Sources: Microsoft's "Develop and plan provisioning for a SCIM endpoint" and "Known issues and resolutions with SCIM 2.0
protocol compliance"; the same exchanges stand as golden files in ``tests/scim/idp/entra``.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from scim_server.cli.demo_steps import ABSENT, Step, Wire, find

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MICROSOFT_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Made = Generator[Step, None, str]
"""Steps that end in the id of what they made."""


class Entra:
    """A provisioning client that behaves like Entra ID; ``mark`` keeps its names apart from everybody else's."""

    def __init__(self, wire: Wire, mark: str) -> None:
        self._wire = wire
        self._mark = mark
        self._made: list[str] = []

    def cycle(self) -> Iterator[Step]:
        """The whole cycle but the deletions; raises Unplayable where it cannot go on."""
        yield from self._test_connection()
        mira = yield from self._create_mira()
        jon = yield from self._create_jon()
        yield from self._update(mira)
        yield from self._assign_manager(mira, jon)
        yield from self._provision_group(mira, jon)
        yield from self._disable_and_restore(mira)
        yield self._create(
            "Somebody else with Mira's username: 409 with the reason, for the provisioning log",
            "/Users",
            {"schemas": [USER], "externalId": f"twin-{self._mark}", "userName": self._name("MIRA"), "active": True},
            status=409,
            needs={"status": "409", "scimType": "uniqueness", "detail": ...},
        )

    def clean_up(self) -> Iterator[Step]:
        """Everything that was made is deleted, the latest first, and then not found."""
        while self._made:
            path = self._made.pop()
            yield self._wire.ask("Deleted for good", "DELETE", path, status=204)
            yield self._wire.ask("From then on it is not found", "GET", path, status=404)

    def _test_connection(self) -> Iterator[Step]:
        nothing = {"totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []}
        yield self._wire.ask(
            "Test Connection: a user nobody has is an empty list; a 404 would put the job into quarantine",
            "GET",
            f'/Users?filter=userName eq "nobody-{self._mark}"',
            needs=nothing,
        )
        yield self._wire.ask(
            "The same for groups",
            "GET",
            f'/Groups?excludedAttributes=members&filter=displayName eq "nobody-{self._mark}"',
            needs=nothing,
        )
        yield self._wire.ask("The mapping page reads the schemas", "GET", "/Schemas", needs={"Resources/0/id": ...})

    def _create_mira(self) -> Made:
        name = self._name("mira")
        lookup = f'/Users?filter=userName eq "{name}"'
        yield self._wire.ask("Matching: is Mira there already? Not yet", "GET", lookup, needs={"totalResults": 0})
        body = {
            "schemas": [USER, ENTERPRISE],
            "externalId": f"mira-{self._mark}",
            "userName": name,
            "active": True,
            "displayName": "Mira Oduya",
            "title": None,
            "emails": [{"primary": True, "type": "work", "value": name}],
            "addresses": None,
            "name": {"formatted": "Mira Oduya", "familyName": "Oduya", "givenName": "Mira"},
            "roles": [],
            "meta": {"resourceType": "User"},
            "manager": None,
        }
        needs = {"userName": name, "active": True, "emails/0/value": name, "title": ABSENT, "roles": ABSENT}
        about = "So she is created; what is null is unset and not sent back"
        mira = yield from self._make(about, "/Users", body, needs)
        yield self._wire.ask(
            "Matching finds her, whatever the case of the letters",
            "GET",
            f'/Users?filter=userName eq "{name.upper()}"',
            needs={"totalResults": 1, "Resources/0/id": mira},
        )
        return mira

    def _create_jon(self) -> Made:
        name = self._name("jon")
        body = {"schemas": [USER], "externalId": f"jon-{self._mark}", "userName": name, "active": True}
        return (yield from self._make("Jon is created too", "/Users", body, {"userName": name, "active": True}))

    def _update(self, mira: str) -> Iterator[Step]:
        yield self._patch(
            "An update in Entra's default dialect: capitalised operations, an address that is not there yet",
            f"/Users/{mira}",
            [
                {"op": "Replace", "path": "displayName", "value": "Mira O."},
                {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Utrecht"},
                {"op": "Add", "path": f"{ENTERPRISE}:employeeNumber", "value": "EN-9"},
            ],
            {
                "displayName": "Mira O.",
                "addresses/0/type": "work",
                "addresses/0/locality": "Utrecht",
                f"{ENTERPRISE}/employeeNumber": "EN-9",
            },
        )
        yield self._patch(
            "An update in the dialect of the aadOptscim062020 flag: dotted and qualified keys in one value",
            f"/Users/{mira}",
            [{"op": "replace", "value": {"name.familyName": "Okafor", f"{ENTERPRISE}:department": "Plant Quality"}}],
            {
                "name/familyName": "Okafor",
                "name/givenName": "Mira",
                f"{ENTERPRISE}/department": "Plant Quality",
                f"{ENTERPRISE}/employeeNumber": "EN-9",
            },
        )

    def _assign_manager(self, mira: str, jon: str) -> Iterator[Step]:
        yield self._patch(
            "References come second: Jon, as a bare id, becomes Mira's manager",
            f"/Users/{mira}",
            [{"op": "Add", "path": f"{ENTERPRISE}:manager", "value": jon}],
            {f"{ENTERPRISE}/manager/value": jon},
        )
        yield self._wire.ask(
            "Is he really? Asked with the short name of the attribute",
            "GET",
            f'/Users?filter=id eq "{mira}" and manager eq "{jon}"&attributes=id',
            needs={"totalResults": 1, "Resources/0/id": mira},
        )

    def _provision_group(self, mira: str, jon: str) -> Iterator[Step]:
        body = {
            "schemas": [GROUP, MICROSOFT_GROUP],
            "externalId": f"group-{self._mark}",
            "displayName": f"Plant Quality {self._mark}",
            "meta": {"resourceType": "Group"},
        }
        about = "A group, without members and with a schema of Microsoft's own, which is dropped"
        group = yield from self._make(about, "/Groups", body, {"schemas": [GROUP], "members": ABSENT})
        path = f"/Groups/{group}"
        yield self._change_members("Members follow in one request: 204 without a body", path, "Add", [mira, jon])
        yield self._wire.ask(
            "The group is read without its members",
            "GET",
            f"{path}?excludedAttributes=members",
            needs={"id": group, "members": ABSENT},
        )
        yield self._change_members("Jon leaves; emptying the group here would be a disaster", path, "Remove", [jon])
        yield self._wire.ask("Mira has stayed", "GET", path, needs={"members/0/value": mira, "members/1": ABSENT})

    def _disable_and_restore(self, mira: str) -> Iterator[Step]:
        yield self._patch(
            'Mira is unassigned: "False", as a text',
            f"/Users/{mira}",
            [{"op": "Replace", "path": "active", "value": "False"}],
            {"active": False},
        )
        yield self._wire.ask(
            "She is still found, inactive",
            "GET",
            f'/Users?filter=userName eq "{self._name("mira")}"',
            needs={"totalResults": 1, "Resources/0/id": mira, "Resources/0/active": False},
        )
        yield self._patch(
            "Assigned again: the same user in the same group",
            f"/Users/{mira}",
            [{"op": "Replace", "path": "active", "value": "True"}],
            {"active": True, "groups/0/display": f"Plant Quality {self._mark}"},
        )

    def _name(self, person: str) -> str:
        return f"{person}.{self._mark}@example.com"

    def _make(self, about: str, path: str, body: dict[str, Any], needs: Mapping[str, Any]) -> Made:
        step = self._create(about, path, body, status=201, needs=needs)
        yield step
        return str(step.value("id"))

    def _create(self, about: str, path: str, body: dict[str, Any], *, status: int, needs: Mapping[str, Any]) -> Step:
        step = self._wire.ask(about, "POST", path, body, status=status, needs=needs)
        made = find(step.answer, "id")
        if step.status == 201 and isinstance(made, str):
            self._made.append(f"{path}/{made}")
        return step

    def _patch(self, about: str, path: str, operations: list[dict[str, Any]], needs: Mapping[str, Any]) -> Step:
        return self._wire.ask(about, "PATCH", path, {"schemas": [PATCH_OP], "Operations": operations}, needs=needs)

    def _change_members(self, about: str, path: str, op: str, members: list[str]) -> Step:
        value = [{"$ref": None, "value": member} for member in members]
        body = {"schemas": [PATCH_OP], "Operations": [{"op": op, "path": "members", "value": value}]}
        return self._wire.ask(about, "PATCH", path, body, status=204)
