"""The invariants of the reconciler, as far as a push reaches: random requests of two clients over few values."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Table, select
from werkzeug.test import TestResponse

from scim_server.admin.sources import SourceKind
from scim_server.admin.tenants import PUSH_SOURCE
from scim_server.store.tables import identities
from tests.push.installation import PATCH_OP, Client, Installation
from tests.push.invariants import violations

NAMES = ["mira", "MIRA", "tove", "olga", "mira@fabrikam.test", "Tove@Fabrikam.test", "Straße", "STRASSE"]
ADDRESSES = ["mira@fabrikam.test", "MIRA@fabrikam.test", "tove@fabrikam.test", "olga@fabrikam.test"]
GROUPS = ["Welders", "WELDERS", "Fitters"]
WRITTEN = (
    identities.resources, identities.attribute_values, identities.claims, identities.members, identities.counts,
    identities.links, identities.anchors, identities.changes,
)  # fmt: skip

Body = dict[str, Any]
names = st.sampled_from(NAMES)
mails = st.lists(st.sampled_from(ADDRESSES), max_size=2, unique=True).map(
    lambda found: [{"value": value, "type": kind} for value, kind in zip(found, ("work", "home"), strict=False)]
)
whoever = st.integers(0, 4)
"""The place of a resource among those created so far, counted round."""
somebody = st.lists(whoever, max_size=2)
users: st.SearchStrategy[Body] = st.fixed_dictionaries(
    {"userName": names, "emails": mails},
    optional={"externalId": st.sampled_from(["e-1", "e-2"]), "active": st.booleans()},
)
changes: st.SearchStrategy[Body] = st.fixed_dictionaries(
    {}, optional={"userName": names, "emails": mails, "active": st.booleans(), "title": st.sampled_from(["A", "B"])}
)
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.one_of(
            st.tuples(st.just("POST"), st.just("Users"), whoever, users),
            st.tuples(st.just("PUT"), st.just("Users"), whoever, users),
            st.tuples(st.just("PATCH"), st.just("Users"), whoever, changes),
            st.tuples(st.just("PATCH"), st.just("Users"), whoever, changes),
            st.tuples(st.just("DELETE"), st.just("Users"), whoever, st.none()),
            st.tuples(
                st.sampled_from(["POST", "PUT", "PATCH"]),
                st.just("Groups"),
                whoever,
                st.fixed_dictionaries({"displayName": st.sampled_from(GROUPS), "members": somebody}),
            ),
            st.tuples(st.just("DELETE"), st.just("Groups"), whoever, st.none()),
        ),
    ),
    min_size=4,
    max_size=16,
)
_tenants = count(1)


@given(steps)
@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_whatever_is_pushed_the_invariants_hold(installation: Installation, steps: list[Any]) -> None:
    world = World(installation)
    for who, (method, endpoint, place, body) in steps:
        world.push(who, method, endpoint, place, body)


class World:
    """A tenant of its own with two clients, and the ids that were given out in it."""

    def __init__(self, installation: Installation) -> None:
        self.database = installation.database
        self.tenant = installation.tenants.create(f"world-{next(_tenants)}").id
        installation.sources.add(self.tenant, "hr-push", SourceKind.SCIM)
        self.clients = [
            Client(installation.app, installation.tokens.create(self.tenant, source, source)[1])
            for source in (PUSH_SOURCE, "hr-push")
        ]
        self.ids: dict[str, list[str]] = {"Users": [], "Groups": []}

    def push(self, who: int, method: str, endpoint: str, place: int, body: Body | None) -> None:
        """The request is sent, and once more; nothing is broken, and nothing happens twice."""
        ids = self.ids[endpoint]
        if method != "POST" and not ids:
            return
        path = f"/{endpoint}" if method == "POST" else f"/{endpoint}/{ids[place % len(ids)]}"
        answer = self._send(who, method, path, body)
        if answer.status_code == 201:
            ids.append(answer.json["id"])
        assert answer.status_code in (200, 201, 204, 404, 409), answer.text
        assert violations(self.database, self.tenant) == []
        before = self._written()
        again = self._send(who, method, path, body)
        assert violations(self.database, self.tenant) == []
        assert self._written() == before
        expected = {201: 409, 204: 404 if method == "DELETE" else 204}.get(answer.status_code, answer.status_code)
        assert again.status_code == expected, again.text

    def _send(self, who: int, method: str, path: str, body: Body | None) -> TestResponse:
        if body is not None and "members" in body:
            users = self.ids["Users"]
            listed = [{"value": users[place % len(users)]} for place in body["members"]] if users else []
            body = {**body, "members": listed}
        if method == "PATCH":
            body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": body}]}
        return self.clients[who].ask(method, path, body)

    def _written(self) -> Mapping[str, list[Any]]:
        """All that the requests wrote, but the times at which a client said again what another one decides."""
        with self.database.engine.connect() as connection:
            return {
                table.name: sorted(
                    map(repr, connection.execute(select(*_lasting(table)).where(table.c.tenant_id == self.tenant)))
                )
                for table in WRITTEN
            }


def _lasting(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if (table.name, column.name) != ("links", "times")]


def test_a_broken_invariant_is_noticed(installation: Installation, entra: Client) -> None:
    entra.create(userName="mira")
    entra.create(userName="Mira", status=409)
    assert violations(installation.database, installation.tenant) == []

    with installation.database.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM claims")
        connection.exec_driver_sql("DELETE FROM attribute_values")
        connection.exec_driver_sql("UPDATE counts SET live = 7")
        connection.exec_driver_sql("UPDATE links SET state = 'deleted'")
        connection.commit()

    found = " ".join(violations(installation.database, installation.tenant))
    assert all(name in found for name in ("I1", "I2", "I8", "index", "counts"))


@pytest.mark.parametrize("body", [{"title": "A"}, {"active": False}, {"emails": []}])
def test_an_attribute_of_a_user_is_as_it_was_last_pushed(entra: Client, body: Body) -> None:
    mira = entra.create(userName="mira", emails=[{"value": ADDRESSES[0]}], title="B")["id"]

    after = entra.change(mira, **body)

    (name, value), *_ = body.items()
    assert after.get(name, []) == value
    assert orjson.loads(orjson.dumps(entra.read(mira))) == after
