"""A whole installation under test: its application, its clients, its clock and what lies in its tables."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.schema import Table
from werkzeug.test import TestResponse

from scim_server.admin.schemas import SchemaCatalog, Schemas
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import SourceKind, Sources
from scim_server.admin.tenants import DEFAULT, PUSH_SOURCE, Tenants
from scim_server.admin.tokens import TokenDirectory, Tokens
from scim_server.domain.attributes import flatten
from scim_server.domain.clients import Scope
from scim_server.domain.keys import NORM_VERSION, claims_of
from scim_server.factory import build_services, create_app
from scim_server.reconciler.push import Push
from scim_server.reconciler.rules import apply_rules
from scim_server.scim.index import index_rows
from scim_server.scim.registry import SchemaRegistry
from scim_server.settings import Settings
from scim_server.store.reads.cursors import Cursors
from scim_server.store.reads.duplicates import STATUSES, DuplicateCase, list_cases
from scim_server.store.tables.identities import attribute_values, claims, counts, links, resources
from tests.scim.server import ScimClient

KEY = "k" * 32
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class FakeClock:
    """A clock that goes on by a second each time somebody looks, so that no two changes share a moment."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
        self.step = timedelta(seconds=1)

    def now(self) -> datetime:
        """The next second, unless the clock stands (a ``step`` of nothing)."""
        self.moment += self.step
        return self.moment


class Client(ScimClient):
    """A provisioning client in the words of these tests: what it sends, and the status it insists on."""

    def send(self, method: str, path: str, body: Any = None, *, status: int, **headers: str) -> Any:
        """The parsed answer; the status must be the one expected."""
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == status, f"{method} {path} -> {answer.status_code} {answer.text}"
        return orjson.loads(answer.data) if answer.data else None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """The answer, whatever it is; ``if_match`` stands for the header If-Match."""
        return self.request(
            method, path, body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def create(self, status: int = 201, **attributes: Any) -> Any:
        """POST a user."""
        return self.send("POST", "/Users", {"schemas": [USER], **attributes}, status=status)

    def create_group(self, name: str, *members: str, status: int = 201, **attributes: Any) -> Any:
        """POST a group."""
        listed = {"members": [{"value": member} for member in members]} if members else {}
        return self.send("POST", "/Groups", {"displayName": name, **listed, **attributes}, status=status)

    def change(self, user_id: str, status: int = 200, **attributes: Any) -> Any:
        """PATCH a user: replace these attributes."""
        return self.patch(f"/Users/{user_id}", [{"op": "replace", "value": attributes}], status=status)

    def patch(self, path: str, operations: list[Any], *, status: int = 200, **headers: str) -> Any:
        """PATCH with these operations."""
        return self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": operations}, status=status, **headers)

    def read(self, user_id: str, status: int = 200) -> Any:
        """GET a user."""
        return self.send("GET", f"/Users/{user_id}", status=status)

    def remove(self, user_id: str, status: int = 204) -> Any:
        """DELETE a user."""
        return self.send("DELETE", f"/Users/{user_id}", status=status)

    def find(self, condition: str, endpoint: str = "Users") -> list[Any]:
        """The resources a filter finds; the total has to be their number."""
        answer = self.send("GET", f"/{endpoint}?filter={condition}", status=200)
        assert answer["totalResults"] == len(answer["Resources"])
        found: list[Any] = answer["Resources"]
        return found

    def total(self, endpoint: str = "Users") -> int:
        """How many there are, without reading any."""
        total: int = self.send("GET", f"/{endpoint}?count=0", status=200)["totalResults"]
        return total


class Installation:
    """The application over a database that has its tables, with a clock of its own."""

    def __init__(self, url: str, directory: Path, clock: FakeClock | None = None) -> None:
        self.settings = Settings(data_dir=directory, database_url=url, secret_key=(KEY,), log_level="error")
        self.clock = clock or FakeClock()
        built = build_services(self.settings)
        self.database = built.database
        self.services = replace(
            built,
            clock=self.clock,
            tokens=TokenDirectory(built.database, self.clock, run=lambda work: work()),
            registry_of=SchemaCatalog(built.database, self.clock).registry,
            push=Push(built.database, self.clock),
            cursors=Cursors((KEY,), timeout=3600, clock=self.clock),
        )
        self.app = create_app(services=self.services)
        self.tenants = Tenants(self.database, self.clock, apply_rules)
        self.tokens = Tokens(self.database, self.clock, self.services.tokens)
        self.sources = Sources(self.database, self.clock, Secrets((KEY,)))
        self.schemas = Schemas(self.database, self.clock)
        self.tenant = self.tenants.ensure_default()[0].id
        self._clients = 0

    def client(self, source: str = PUSH_SOURCE, scopes: tuple[Scope, ...] = tuple(Scope)) -> Client:
        """A client with a fresh token of the source."""
        return Client(self.app, self.token(source, scopes))

    def token(self, source: str = PUSH_SOURCE, scopes: tuple[Scope, ...] = tuple(Scope)) -> str:
        """The text of a fresh token of the source."""
        self._clients += 1
        return self.tokens.create(self.tenant, source, f"client-{self._clients}", scopes=scopes)[1]

    def add_source(self, name: str, **settings: str) -> str:
        """Another source of pushes; its name."""
        return self.sources.add(self.tenant, name, SourceKind.SCIM, settings=settings).name

    def set_rules(self, **changes: str) -> None:
        """The tenant has the changed settings, at once."""
        self.tenants.edit(DEFAULT, changes)
        self.services.tokens.forget()

    def populate(self, number: int) -> list[str]:
        """That many users, as if they had been pushed one by one; their ids."""
        first = self.client().create(userName="user 0")
        document = {name: value for name, value in first.items() if name != "meta"}
        users = [{**document, "id": str(uuid4()), "userName": f"user {each}"} for each in range(1, number)]
        (row,) = (row for row in self.rows(resources) if row["id"] == first["id"])
        (link,) = (link for link in self.rows(links) if link["resource_pk"] == row["pk"])
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            shared = {name: value for name, value in row.items() if name != "pk"}
            connection.execute(insert(resources), [shared | _stored(user) for user in users])
            keys = dict(connection.execute(select(resources.c.id, resources.c.pk)).all())
            connection.execute(insert(links), [link | _told(user, keys[user["id"]]) for user in users])
            for table, rows in ((claims, _claims), (attribute_values, _values)):
                found = [each | {"tenant_id": self.tenant} for user in users for each in rows(user, keys[user["id"]])]
                connection.execute(insert(table), found)
            connection.execute(update(counts).values(live=counts.c.live + len(users)))
            connection.exec_driver_sql("COMMIT")
        return [first["id"], *(user["id"] for user in users)]

    def duplicates(self, status: str = "open") -> list[DuplicateCase]:
        """The cases of that status, the newest first."""
        with self.database.reading(self.tenant) as session:
            return list_cases(session, status, 1000)

    def case(self, status: str = "open") -> DuplicateCase:
        """The only case of that status."""
        (found,) = self.duplicates(status)
        return found

    def cases(self) -> dict[str, int]:
        """How many cases there are of each status that has some."""
        return {status: number for status in STATUSES if (number := len(self.duplicates(status)))}

    def rows(self, table: Table) -> list[Mapping[str, Any]]:
        """Every row of a table, in the order of its primary key."""
        with self.database.engine.connect() as connection:
            found = connection.execute(select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def close(self) -> None:
        """No connection is left open."""
        self.database.close()


def _stored(user: dict[str, Any]) -> dict[str, Any]:
    return {"id": user["id"], "display": user["userName"], "document": orjson.dumps(user).decode()}


def _told(user: dict[str, Any], pk: int) -> dict[str, Any]:
    return {"resource_pk": pk, "immutable_id": user["id"], "mapped": orjson.dumps(flatten(user)).decode()}


def _claims(user: dict[str, Any], pk: int) -> Iterator[dict[str, Any]]:
    for wanted in claims_of(user):
        key = {"ns": wanted.claim.ns, "key": wanted.claim.key}
        yield {**key, "resource_pk": pk, "role": wanted.role, "norm_version": NORM_VERSION}


def _values(user: dict[str, Any], pk: int) -> Iterator[dict[str, Any]]:
    for attribute, element, head, tail in index_rows(user, _USER):
        yield {"resource_pk": pk, "attribute": attribute, "element": element, "head": head, "tail": tail}


_USER = SchemaRegistry.standard().user
