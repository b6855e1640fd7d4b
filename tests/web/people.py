"""People for the console: pushed by a provisioning client, with groups, a duplicate and hostile values."""

from typing import Any

import orjson

from scim_server.admin.jobs import PreviewRequest
from scim_server.admin.sources import SourceKind
from scim_server.store.reads.duplicates import list_cases
from tests.scim.server import ScimClient
from tests.web.browser import ConsoleServer

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
FORMULA = '=HYPERLINK("http://evil.test")'
REVERSED = "gnp.\u202eexe"


def user(name: str, given: str = "", family: str = "", **more: Any) -> dict[str, Any]:
    """A user as Entra ID would push it."""
    display = f"{given} {family}".strip() or name
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": f"{name}@fabrikam.test",
        "displayName": display,
        "name": {"givenName": given or name, "familyName": family or name},
        "emails": [{"value": f"{name}@fabrikam.test", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+49 30 1234567", "type": "work"}],
        "active": True,
        **more,
    }


def push(client: ScimClient, path: str, body: dict[str, Any], status: int = 201) -> Any:
    """What the server answers to a POST."""
    answer = client.request("POST", path, body)
    assert answer.status_code == status, answer.text
    return orjson.loads(answer.data)


def patch(client: ScimClient, path: str, **values: Any) -> None:
    """The attributes have these values."""
    operations = [{"op": "replace", "path": name, "value": value} for name, value in values.items()]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    answer = client.request("PATCH", path, body)
    assert answer.status_code in (200, 204), answer.text


def populate(server: ConsoleServer, many: int = 60) -> dict[str, str]:
    """Some people; ids by name."""
    client = server.client()
    made = {name: push(client, "/Users", user(name, given, family))["id"] for name, given, family in PEOPLE}
    for number in range(many):
        push(client, "/Users", user(f"worker{number:03}", "Worker", f"Number {number:03}"))
    made["hostile"] = push(client, "/Users", user("hostile", HOSTILE, REVERSED, title=FORMULA, nickName="x" * 2000))[
        "id"
    ]
    patch(client, f"/Users/{made['noor']}", active=False)
    patch(client, f"/Users/{made['mira']}", displayName="Mira Sand-Okafor", title="Head of Quality")
    push(client, "/Users", user("mira", "Another", "Mira"), status=409)
    inner = push(
        client, "/Groups", {"schemas": [GROUP], "displayName": "Quality", "members": [{"value": made["mira"]}]}
    )
    push(client, "/Groups", {"schemas": [GROUP], "displayName": "Plant", "members": [{"value": inner["id"]}]})
    made["quality"] = inner["id"]
    return made


def synchronize(server: ConsoleServer) -> dict[str, str]:
    """The sample directory as it is on day one, applied, and a preview of day two; the ids of both plans."""
    administration, tenant = server.services.admin, server.tenants.get("default").id
    source = administration.sources.add(tenant, "demo", SourceKind.SAMPLE, settings={"day": "1"})
    first = administration.jobs.preview(tenant, source.id, PreviewRequest(full=True, confirm=True), "Mira Sand")
    server.work_off()
    administration.sources.edit(tenant, "demo", settings={"day": "2"})
    second = administration.jobs.preview(tenant, source.id, PreviewRequest(full=True), "Mira Sand")
    server.work_off()
    with server.services.database.reading(tenant) as session:
        case = list_cases(session, "open", 1)[0].id
    return {"done": first.plan_id, "ready": second.plan_id, "case": case}


PEOPLE = (
    ("mira", "Mira", "Sand"),
    ("noor", "Noor", "Haddad"),
    ("jonas", "Jonas", "Weiß"),
    ("aiko", "Aiko", "Tanaka"),
)
