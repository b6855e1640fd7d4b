"""A tenant with directories to pull from and clients that push, and what the tests ask of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.scripted import ScriptedDirectory
from scim_server.admin.tenants import PUSH_SOURCE, Tenants
from scim_server.domain.clients import Client, Scope
from scim_server.reconciler.apply import Apply
from scim_server.reconciler.preview import Preview
from scim_server.reconciler.push import Order, Push
from scim_server.reconciler.resolutions import Kind, Resolution, Resolutions
from scim_server.reconciler.runs import Approval, PlanRequest, PlanSummary, RunSummary
from scim_server.reconciler.selection import Selection
from scim_server.scim.dialects import Dialect
from scim_server.scim.patch import Operation
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.admin import sources as stored_sources
from scim_server.store.engine import Database
from scim_server.store.reads.duplicates import DuplicateCase, list_cases
from scim_server.store.statements import Statement
from scim_server.store.tables.base import metadata

Document = dict[str, Any]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
REGISTRY = SchemaRegistry.standard()


class SettableClock:
    """The time that a test says it is; it passes by a second at each look, so that nothing happens at once."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def pass_by(self, **much: float) -> None:
        self.at += timedelta(**much)


def never() -> bool:
    return False


def silent(_done: int, _total: int | None) -> None:
    return None


class World:
    """One tenant; ``directory`` is the scripted Active Directory of the source ``corp``."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.database = database
        self.clock = SettableClock()
        self.tenant = Tenants(database, self.clock).ensure_default()[0].id
        self.directory = ScriptedDirectory(now=self.clock.now, page_size=3)
        self.corp = self.add_source("corp", "active-directory", 10, **settings)
        self.push = Push(database, self.clock)
        self.client = self._client(PUSH_SOURCE)
        self.resolutions = Resolutions(database, lambda _tenant: REGISTRY, self.clock)

    def add_source(self, name: str, kind: str, rank: int, **settings: Any) -> int:
        with self.database.writing(self.tenant) as session:
            number = stored_sources.add(
                session,
                name=name,
                kind=kind,
                rank=rank,
                settings=orjson.dumps(settings).decode(),
                secrets="",
                created_at="2026-03-01T00:00:00.000000Z",
            )
        assert number is not None
        return number

    def configure(self, **settings: Any) -> None:
        """The source ``corp`` has these settings."""
        with self.database.writing(self.tenant) as session:
            text = orjson.dumps(settings).decode()
            stored_sources.change(session, self.corp, rank=10, settings=text, secrets="")

    def _client(self, name: str) -> Client:
        with self.database.reading(self.tenant) as session:
            source = stored_sources.find(session, name)
        assert source is not None
        return Client(self.tenant, "default", source.id, name, source.rank, "t", "entra", frozenset(Scope))

    def preview(
        self,
        *objects: str,
        source: int | None = None,
        directory: ScriptedDirectory | None = None,
        full: bool = False,
        plan_id: str | None = None,
        should_stop: Callable[[], bool] = never,
    ) -> PlanSummary:
        request = PlanRequest(self.tenant, source or self.corp, plan_id=plan_id, full=full, objects=objects)
        reader = (directory or self.directory).reader()
        return Preview(self.database, lambda _tenant: REGISTRY, self.clock).run(request, reader, silent, should_stop)

    def apply(
        self,
        plan: PlanSummary,
        *,
        directory: ScriptedDirectory | None = None,
        components: Sequence[int] | None = None,
        approve: bool = False,
        approval: Approval | None = None,
        should_stop: Callable[[], bool] = never,
        fingerprint: str | None = None,
    ) -> RunSummary:
        if approve:
            approval = Approval("admin", {each.name: each.number for each in plan.blocked})
        return Apply(self.database, lambda _tenant: REGISTRY, self.clock).run(
            self.tenant,
            plan.id,
            fingerprint or plan.fingerprint,
            (directory or self.directory).reader(),
            silent,
            should_stop,
            components=components,
            approval=approval,
        )

    def sync(self, *objects: str, full: bool = False, **where: Any) -> RunSummary:
        """A preview and its confirmation."""
        return self.apply(self.preview(*objects, full=full, **where), directory=where.get("directory"))

    def sync_fully(self) -> RunSummary:
        return self.sync(full=True)

    def resolve(self, kind: str, case_id: str | None = None, **how: Any) -> RunSummary:
        """The plan of a resolution, confirmed."""
        resolution = Resolution(case_id or self.duplicates()[0].id, Kind(kind), **how)
        return self.apply(self.resolutions.plan(self.tenant, resolution, "admin"))

    # what clients push

    def order(self, *, group: bool = False) -> Order:
        return Order(self.client, REGISTRY.group if group else REGISTRY.user, Dialect())

    def push_user(self, user_name: str, email: str | None = None, **attributes: Any) -> str:
        body: Document = {"schemas": [USER], "userName": user_name, **attributes}
        if email is not None:
            body["emails"] = [{"value": email, "type": "work", "primary": True}]
        return self.push.create(self.order(), body).resource.id

    def push_change(self, user_id: str, **attributes: Any) -> None:
        operations = [Operation("replace", value=attributes, has_value=True)]
        self.push.patch(self.order(), user_id, operations)

    def push_group(self, name: str) -> str:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name}
        return self.push.create(self.order(group=True), body).resource.id

    def push_members(self, group_id: str, members: Sequence[str]) -> None:
        value = [{"value": member} for member in members]
        operations = [Operation("add", "members", value, has_value=True)]
        self.push.patch(self.order(group=True), group_id, operations)

    def choose(self, immutable_id: str, *, wanted: bool = True) -> None:
        """An administrator chooses who is imported."""
        selection = Selection(self.database)
        (selection.choose if wanted else selection.leave_out)(self.tenant, self.corp, [immutable_id])
        assert (immutable_id in selection.chosen(self.tenant, self.corp)) is wanted

    # what is stored

    def rows(self, table: str, **conditions: Any) -> list[dict[str, Any]]:
        """Rows of a table of this tenant."""
        columns = metadata.tables[table]
        statement = Statement(columns.select())
        with self.database.reading(self.tenant) as session:
            found = [dict(zip(columns.c.keys(), row, strict=True)) for row in session.all(statement)]
        return [row for row in found if all(row[name] == value for name, value in conditions.items())]

    def users(self) -> dict[str, Document]:
        """userName to document of every live user."""
        rows = self.rows("resources", type="User", state="live")
        documents = [orjson.loads(row["document"]) for row in rows]
        return {document["userName"]: document for document in documents}

    def user(self, user_name: str) -> Document:
        return self.users()[user_name]

    def emails(self) -> dict[str, list[str]]:
        """userName to addresses."""
        return {name: [each["value"] for each in document.get("emails", ())] for name, document in self.users().items()}

    def members(self, group_name: str) -> set[str]:
        """Display names of the members of a group."""
        resources = {row["pk"]: row for row in self.rows("resources")}
        group = next(pk for pk, row in resources.items() if row["display"] == group_name and row["state"] == "live")
        return {resources[row["member_pk"]]["display"] for row in self.rows("members", group_pk=group)}

    def duplicates(self, status: str = "open") -> list[DuplicateCase]:
        with self.database.reading(self.tenant) as session:
            return list_cases(session, status, 100)

    def items(self, plan: PlanSummary | RunSummary) -> dict[str, Mapping[str, Any]]:
        """Immutable id to item."""
        return {row["immutable_id"]: row for row in self.rows("plan_items", plan_id=plan.id)}


def numbers(summary: PlanSummary | RunSummary) -> dict[str, int]:
    """The counts that are not zero, without those of the read."""
    told = summary.counts.as_dict()
    return {word: number for word, number in told.items() if number and word not in ("read", "unchanged")}
