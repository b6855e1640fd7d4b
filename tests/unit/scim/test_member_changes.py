"""What a PATCH does to members becomes steps, without the members being read."""

import pytest

from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability
from scim_server.scim.filters.match import matches_element
from scim_server.scim.member_changes import Add, Clear, MemberStep, Remove, RemoveWhere, Replace, split
from scim_server.scim.patch import Operation
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.group import GROUP_URN

REGISTRY = SchemaRegistry.standard()
GROUP = REGISTRY.group
UNSET = object()


def operation(op: str, path: str | None = None, value: object = UNSET) -> Operation:
    return Operation(op, path, None if value is UNSET else value, value is not UNSET)


def steps(*operations: Operation, strict: bool = False) -> list[MemberStep]:
    rest, found = split(operations, GROUP, Dialect(strict=strict))
    assert rest == []
    return found


@pytest.mark.parametrize("path", ["members", "Members", f"{GROUP_URN}:members"])
def test_members_are_added_once_each_however_the_path_is_spelled(path: str) -> None:
    value = [{"$ref": None, "value": "1"}, {"value": "2", "display": "B", "type": "User"}, {"value": "1"}]
    assert steps(operation("add", path, value), strict=True) == [Add(("1", "2"))]


@pytest.mark.parametrize("value", ["1", ["1"], {"value": "1"}, [{"VALUE": "1"}], [{"value": "1", "team": "x"}]])
def test_members_come_as_objects_or_bare_ids_in_a_list_or_alone(value: object) -> None:
    assert steps(operation("Add", "members", value)) == [Add(("1",))]


@pytest.mark.parametrize("value", ["1", ["1"], {"value": "1"}, [{"value": "1", "team": "x"}]])
def test_a_strict_dialect_wants_a_list_of_member_objects(value: object) -> None:
    with pytest.raises(InvalidValue, match="members"):
        steps(operation("add", "members", value), strict=True)


@pytest.mark.parametrize("empty", [[], None, ""])
def test_adding_nobody_does_nothing_and_replacing_by_nobody_empties(empty: object) -> None:
    assert steps(operation("add", "members", empty)) == []
    assert steps(operation("replace", "members", empty)) == [Replace(())]


def test_remove_with_a_list_takes_out_the_listed_only() -> None:
    dialect = Dialect()
    assert split([operation("remove", "members", [{"value": "1"}])], GROUP, dialect) == ([], [Remove(("1",))])
    assert dialect.applied == [Tolerance.REMOVE_WITH_VALUE]
    with pytest.raises(InvalidSyntax):
        steps(operation("remove", "members", [{"value": "1"}]), strict=True)


@pytest.mark.parametrize("empty", [[], None])
def test_remove_with_an_empty_list_takes_out_nobody(empty: object) -> None:
    assert steps(operation("remove", "members", empty)) == []


def test_remove_without_a_value_takes_out_everybody() -> None:
    assert steps(operation("remove", "members"), strict=True) == [Clear()]


@pytest.mark.parametrize(
    ("text", "ids"),
    [('value eq "1"', ("1",)), ('value eq "1" or VALUE eq "2" or value eq "1"', ("1", "2"))],
)
def test_a_filter_that_lists_ids_removes_those(text: str, ids: tuple[str, ...]) -> None:
    assert steps(operation("remove", f"members[{text}]"), strict=True) == [Remove(ids)]


@pytest.mark.parametrize("text", ['type eq "User"', 'value eq "1" and type eq "User"', 'value sw "1"', "value pr"])
def test_any_other_filter_is_kept_as_a_condition(text: str) -> None:
    (step,) = steps(operation("remove", f"members[{text}]"))
    assert isinstance(step, RemoveWhere)
    assert matches_element(step.condition, {"value": "1", "type": "User"})
    assert not matches_element(step.condition, {})


def test_the_key_members_is_taken_out_of_a_value_without_path() -> None:
    value = {"displayName": "Quality", "members": [{"value": "1"}], "externalId": "e"}
    rest, found = split([operation("replace", None, value)], GROUP, Dialect(strict=True))
    assert rest == [operation("replace", None, {"displayName": "Quality", "externalId": "e"})]
    assert found == [Replace(("1",))]
    assert "members" in value


@pytest.mark.parametrize("value", [{f"{GROUP_URN}:members": ["1"]}, {GROUP_URN: {"members": ["1"]}}])
def test_the_key_members_may_be_qualified(value: object) -> None:
    assert steps(operation("add", None, value)) == [Add(("1",))]


def test_what_does_not_concern_members_is_left_as_it_was() -> None:
    operations = [
        operation("replace", "displayName", "members"),
        operation("replace", None, {GROUP_URN: {"displayName": "x"}}),
        operation("add", None, {"membersOf": "x"}),
        operation("add", None, "members"),
        operation("add", None, {}),
        operation("remove", None, {"members": ["1"]}),
    ]
    assert split(operations, GROUP, Dialect()) == (operations, [])


def test_a_user_has_no_members_to_split_off() -> None:
    operations = [operation("add", "members", ["1"])]
    assert split(operations, REGISTRY.user, Dialect()) == (operations, [])


def test_steps_keep_the_order_of_the_operations() -> None:
    found = steps(
        operation("add", "members", ["1"]),
        operation("remove", "members"),
        operation("add", None, {"members": ["2"]}),
        operation("remove", 'members[value eq "2"]'),
    )
    assert found == [Add(("1",)), Clear(), Add(("2",)), Remove(("2",))]


@pytest.mark.parametrize(
    ("path", "value"),
    [('members[value eq "1"].display', "x"), ("members.value", "x"), ('members[value eq "1"]', {"value": "2"})],
)
def test_an_existing_member_cannot_be_changed(path: str, value: object) -> None:
    for name in ("add", "replace"):
        with pytest.raises(Mutability):
            steps(operation(name, path, value))


def test_a_sub_attribute_of_a_member_cannot_be_removed() -> None:
    with pytest.raises(Mutability):
        steps(operation("remove", 'members[value eq "1"].type'))


@pytest.mark.parametrize("bad", [{"display": "x"}, {"value": ""}, {"value": 5}, {}, None, 7, [], ""])
def test_a_malformed_member_is_named_by_its_place(bad: object) -> None:
    with pytest.raises(InvalidValue, match=r"members\[1\]"):
        steps(operation("add", "members", [{"value": "1"}, bad]))


def test_add_and_replace_need_a_value_and_the_path_has_to_exist() -> None:
    for name in ("add", "replace"):
        with pytest.raises(InvalidValue, match="value"):
            steps(operation(name, "members"))
    with pytest.raises(InvalidPath):
        steps(operation("add", "members.nosuch", "1"))
    with pytest.raises(InvalidSyntax, match="op"):
        steps(operation("move", "members", ["1"]))
