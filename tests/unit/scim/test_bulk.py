"""A bulk request is put into an order in which every reference by bulkId can be resolved, rings included."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim.bulk import BulkOperation, Kind, Step, plan, references, resolve
from scim_server.scim.errors import Conflict, InvalidSyntax, InvalidValue, NotFound
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN

REGISTRY = SchemaRegistry.standard()


def group(name: str, *members: str) -> BulkOperation:
    data = {"displayName": name, "members": [{"value": member} for member in members]}
    return BulkOperation("POST", "/Groups", name, data)


def user(name: str, manager: str | None = None) -> BulkOperation:
    data: dict[str, Any] = {"userName": name}
    if manager:
        data[ENTERPRISE_URN] = {"department": "D", "manager": {"value": manager}}
    return BulkOperation("POST", "/Users", name, data)


def planned(*operations: BulkOperation) -> list[tuple[int, Kind]]:
    return [(step.position, step.kind) for step in plan(operations, REGISTRY)]


def test_an_operation_is_read_from_its_message() -> None:
    message = {"method": "PATCH", "path": "/Users/1", "bulkId": "b", "data": {}, "version": 'W/"1"'}
    assert BulkOperation.of(message) == BulkOperation("PATCH", "/Users/1", "b", {}, 'W/"1"')
    assert BulkOperation.of({"method": "DELETE", "path": "/Users/1"}) == BulkOperation("DELETE", "/Users/1")


def test_operations_without_references_keep_the_order_of_the_request() -> None:
    operations = [user("b"), BulkOperation("DELETE", "/Users/1"), user("a"), BulkOperation("PUT", "/Users/2", data={})]
    assert planned(*operations) == [(0, Kind.CREATE), (1, Kind.DELETE), (2, Kind.CREATE), (3, Kind.REPLACE)]


def test_a_resource_is_created_before_another_refers_to_it() -> None:
    assert planned(group("g", "bulkId:u"), user("u", "bulkId:boss"), user("boss")) == [
        (2, Kind.CREATE),
        (1, Kind.CREATE),
        (0, Kind.CREATE),
    ]


def test_a_path_may_refer_to_a_resource_of_the_request() -> None:
    patch = BulkOperation("PATCH", "/Users/bulkId:u", data={"Operations": []})
    steps = plan([patch, user("u")], REGISTRY)
    assert [step.position for step in steps] == [1, 0]
    assert resolve(steps[1].operation, {"u": "id-u"}).path == "/Users/id-u"


def test_operations_on_one_resource_keep_their_order() -> None:
    add = BulkOperation("PATCH", "/Groups/1", data={"Operations": [{"op": "add", "value": {"members": "bulkId:u"}}]})
    clear = BulkOperation("PATCH", "/Groups/1", data={"Operations": [{"op": "remove", "path": "members"}]})
    assert [position for position, _ in planned(add, clear, user("u"))] == [2, 0, 1]


def test_a_ring_of_two_is_created_with_one_link() -> None:
    steps = plan([group("a", "bulkId:b", "known"), group("b", "bulkId:a")], REGISTRY)
    assert [(step.position, step.kind) for step in steps] == [(0, Kind.CREATE), (1, Kind.CREATE), (0, Kind.LINK)]
    assert steps[0].operation.data == {"displayName": "a", "members": [{"value": "known"}]}
    link = resolve(steps[2].operation, {"a": "1", "b": "2"})
    assert (link.method, link.path) == ("PATCH", "/Groups/1")
    assert link.data["Operations"] == [{"op": "add", "path": "members", "value": [{"value": "2"}]}]


def test_what_waits_for_a_ring_without_being_in_it_is_created_whole() -> None:
    assert planned(group("g", "bulkId:u"), user("u", "bulkId:v"), user("v", "bulkId:u")) == [
        (1, Kind.CREATE),
        (0, Kind.CREATE),
        (2, Kind.CREATE),
        (1, Kind.LINK),
    ]


def test_a_user_may_be_the_manager_of_itself() -> None:
    create, link = plan([user("u", "bulkId:u")], REGISTRY)
    assert create.operation.data == {"userName": "u", ENTERPRISE_URN: {"department": "D"}}
    assert link.operation.data["Operations"] == [
        {"op": "add", "path": f"{ENTERPRISE_URN}:manager", "value": {"value": "bulkId:u"}}
    ]


def test_an_operation_on_a_resource_of_a_ring_waits_for_its_link() -> None:
    clear = BulkOperation("PATCH", "/Groups/bulkId:a", data={"Operations": [{"op": "remove", "path": "members"}]})
    assert planned(clear, group("a", "bulkId:b"), group("b", "bulkId:a")) == [
        (1, Kind.CREATE),
        (2, Kind.CREATE),
        (1, Kind.LINK),
        (0, Kind.PATCH),
    ]


def test_a_ring_of_ten_thousand_needs_one_link() -> None:
    count = 10_000
    ring = [group(str(place), f"bulkId:{(place + 1) % count}") for place in range(count)]
    assert len(plan(ring, REGISTRY)) == count + 1


@pytest.mark.parametrize(
    ("operation", "error", "reason"),
    [
        (BulkOperation("GET", "/Users/1"), InvalidSyntax, "method"),
        (BulkOperation("post", "/Users", "x", {}), InvalidSyntax, "method"),
        (BulkOperation("POST", "/Users", None, {}), InvalidValue, "bulkId"),
        (BulkOperation("POST", "/Users", "", {}), InvalidValue, "bulkId"),
        (BulkOperation("POST", "/Users/1", "x", {}), InvalidValue, "path"),
        (BulkOperation("POST", "/Users", "x"), InvalidSyntax, "data"),
        (BulkOperation("PUT", "/Users", data={}), InvalidValue, "path"),
        (BulkOperation("PATCH", "/Users/1", data=[]), InvalidSyntax, "data"),
        (BulkOperation("DELETE", "/Users/1/2"), InvalidValue, "path"),
        (BulkOperation("DELETE", "/Devices/1"), NotFound, "endpoint"),
        (BulkOperation("DELETE", ""), NotFound, "endpoint"),
        (BulkOperation("DELETE", "/Users/bulkId:none"), InvalidValue, "'none'"),
        (BulkOperation("PUT", "/Users/1", data={"a": [{"b": "bulkId:none"}]}), InvalidValue, "'none'"),
        (BulkOperation("POST", "/Users", "first", {}), InvalidValue, "earlier"),
    ],
)
def test_an_operation_that_cannot_run_is_reported_and_harms_no_other(
    operation: BulkOperation, error: type[Exception], reason: str
) -> None:
    steps = plan([user("first"), operation, group("g", "bulkId:first")], REGISTRY)
    assert [step.position for step in steps] == [0, 1, 2]
    assert [type(step.error) for step in steps] == [type(None), error, type(None)]
    assert reason in str(steps[1].error)


def test_what_refers_to_a_refused_create_is_planned_and_then_cannot_be_resolved() -> None:
    steps = plan([group("g", "bulkId:u"), BulkOperation("POST", "/Users/1", "u", {})], REGISTRY)
    assert [(step.position, step.error is None) for step in steps] == [(1, False), (0, True)]
    with pytest.raises(Conflict, match="'u'"):
        resolve(steps[1].operation, {})


def test_resolving_replaces_references_at_any_depth_and_nothing_else() -> None:
    operation = BulkOperation("PUT", "/Users/1", "b", {"a": ["bulkId:x", {"b": "bulkId:y"}], "c": "a bulkId:x"}, "v")
    assert references(operation.data) == {"x", "y"}
    assert resolve(operation, {"x": "1", "y": "2"}) == BulkOperation(
        "PUT", "/Users/1", "b", {"a": ["1", {"b": "2"}], "c": "a bulkId:x"}, "v"
    )


@st.composite
def requests(draw: st.DrawFn) -> list[BulkOperation]:
    names = [str(place) for place in range(draw(st.integers(1, 8)))]
    some = st.lists(st.sampled_from(names), max_size=3, unique=True)
    operations = []
    for name in names:
        if draw(st.booleans()):
            operations.append(group(name, *(f"bulkId:{member}" for member in draw(some)), "known"))
        else:
            manager = draw(st.none() | st.sampled_from(names))
            operations.append(user(name, manager and f"bulkId:{manager}"))
    for name in draw(some):
        endpoint = next(operation.path for operation in operations if operation.bulk_id == name)
        value = [f"bulkId:{other}" for other in draw(some)]
        operations.append(BulkOperation("PATCH", f"{endpoint}/bulkId:{name}", data={"roles": value}))
    return draw(st.permutations(operations))


def referred(step: Step) -> list[tuple[int, str]]:
    return [(step.position, name) for name in references(step.operation.data)]


@given(requests())
@settings(max_examples=300, deadline=None)
def test_every_reference_is_applied_exactly_once_and_after_its_resource_was_created(
    operations: list[BulkOperation],
) -> None:
    steps = plan(operations, REGISTRY)
    ids: dict[str, str] = {}
    for step in steps:
        assert step.error is None
        resolve(step.operation, ids)
        if step.kind is Kind.CREATE:
            ids[str(step.operation.bulk_id)] = f"id-{step.operation.bulk_id}"
    applied = [reference for step in steps for reference in referred(step)]
    wanted = [(place, name) for place, operation in enumerate(operations) for name in references(operation.data)]
    assert sorted(applied) == sorted(wanted)
    assert sorted(step.position for step in steps if step.kind is not Kind.LINK) == list(range(len(operations)))


@given(requests())
@settings(max_examples=100, deadline=None)
def test_without_rings_nothing_is_linked_afterwards(operations: list[BulkOperation]) -> None:
    forward = []
    for operation in operations:
        later = {f"bulkId:{name}" for name in references(operation.data) if name >= (operation.bulk_id or "")}
        if operation.bulk_id and ENTERPRISE_URN in operation.data and later:
            operation = user(operation.bulk_id)
        elif operation.bulk_id and "members" in operation.data:
            kept = [member["value"] for member in operation.data["members"] if member["value"] not in later]
            operation = group(operation.bulk_id, *kept)
        forward.append(operation)
    assert all(step.kind is not Kind.LINK for step in plan(forward, REGISTRY))
