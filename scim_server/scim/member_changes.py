"""What a PATCH does to the members of a group, as steps that need not read the members first.

A group may have 100,000 members; its stored document has none, they are rows of a table of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scim_server.domain.observations import Json
from scim_server.scim import errors
from scim_server.scim.characteristics import Attribute
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidSyntax, InvalidValue
from scim_server.scim.filters import tree
from scim_server.scim.patch import ADD, REMOVE, Operation, verb
from scim_server.scim.paths import Path, attributes_of, parse_path
from scim_server.scim.registry import AttributeRef, ResourceType
from scim_server.scim.values import accept_element, is_unassigned


@dataclass(frozen=True, slots=True)
class Add:
    """These ids are members, each once; those that were already stay as they are."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """These ids are no members; one that was none is no error."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """These ids are the members, and nobody else."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clear:
    """The group has no members."""


@dataclass(frozen=True, slots=True)
class RemoveWhere:
    """Members that match are no members any more; the references in the filter are sub-attributes of ``members``."""

    condition: tree.Node


MemberStep = Add | Remove | Replace | Clear | RemoveWhere


def split(
    operations: Sequence[Operation], resource_type: ResourceType, dialect: Dialect
) -> tuple[list[Operation], list[MemberStep]]:
    """The operations without what they do to ``members``, and that as steps in the same order.

    ``remove`` with a list takes out the listed only (Entra ID), with null or [] nobody, and without the key ``value``
    everybody (RFC 7644 section 3.5.2.2). Raises a ScimError of status 400: InvalidValue naming the member that is
    malformed, Mutability for a write to a member that exists.
    """
    members = resource_type.core.attribute("members")
    if members is None:
        return list(operations), []
    return _Split(members, resource_type, dialect).split(operations)


@dataclass(frozen=True, slots=True)
class _Split:
    members: Attribute
    resource_type: ResourceType
    dialect: Dialect

    def split(self, operations: Sequence[Operation]) -> tuple[list[Operation], list[MemberStep]]:
        rest: list[Operation] = []
        steps: list[MemberStep] = []
        for operation in operations:
            if operation.path is not None:
                if path := self._members_path(operation.path):
                    steps.extend(self._steps(path, operation, operation.value, operation.has_value))
                else:
                    rest.append(operation)
            elif isinstance(operation.value, Mapping) and operation.op.lower() != REMOVE:
                others, taken = self._take(operation.value, "")
                for path, value in taken:
                    steps.extend(self._steps(path, operation, value, has_value=True))
                if others or not taken:
                    rest.append(Operation(operation.op, None, others, has_value=True) if taken else operation)
            else:
                rest.append(operation)
        return rest, steps

    def _members_path(self, text: str) -> Path | None:
        if "members" not in text.lower():
            return None
        path = parse_path(text, self.resource_type, self.dialect)
        return path if self._is_members(path) else None

    def _is_members(self, path: Path) -> bool:
        return isinstance(path.reference, AttributeRef) and path.reference.attribute is self.members

    def _take(self, value: Mapping[str, Json], urn: str) -> tuple[dict[str, Json], list[tuple[Path, Json]]]:
        """The object without its keys for members, and those resolved; the core URN may hold them too."""
        others: dict[str, Json] = {}
        taken: list[tuple[Path, Json]] = []
        for key, item in value.items():
            if not urn and isinstance(item, Mapping) and key.lower() == self.resource_type.core.id.lower():
                inner, found = self._take(item, key)
                if inner or not found:
                    others[key] = inner
            else:
                found = list(self._found(key, item, urn))
                if not found:
                    others[key] = item
            taken.extend(found)
        return others, taken

    def _found(self, key: str, item: Json, urn: str) -> Iterator[tuple[Path, Json]]:
        if "members" in key.lower():
            wrapped = {urn: {key: item}} if urn else {key: item}
            for path, value in attributes_of(wrapped, self.resource_type, self.dialect):
                if self._is_members(path):
                    yield path, value

    def _steps(self, path: Path, operation: Operation, value: Json, has_value: bool) -> Iterator[MemberStep]:
        name = verb(operation, self.dialect)
        if path.sub or (path.element_filter and name != REMOVE):
            raise errors.Mutability(f"{path.text}: members are added and removed; an existing one cannot be changed")
        if name == REMOVE:
            yield from self._removal(path, value, has_value)
        elif not has_value:
            raise InvalidValue(f"{name} of {path.text} needs a value")
        elif name == ADD:
            yield from filter(lambda step: step.ids, [Add(self._ids(value))])
        else:
            yield Replace(self._ids(value))

    def _removal(self, path: Path, value: Json, has_value: bool) -> Iterator[MemberStep]:
        if path.element_filter:
            ids = _listed(path.element_filter)
            yield RemoveWhere(path.element_filter) if ids is None else Remove(ids)
        elif not has_value:
            yield Clear()
        elif not self.dialect.tolerates(Tolerance.REMOVE_WITH_VALUE):
            raise InvalidSyntax(f"{path.text}: remove takes no value; select with a filter in the path")
        elif ids := self._ids(value):
            yield Remove(ids)

    def _ids(self, value: Json) -> tuple[str, ...]:
        if is_unassigned(value):
            return ()
        if not isinstance(value, list):
            if not self.dialect.tolerates(Tolerance.SINGLE_VALUE_FOR_LIST):
                raise InvalidValue("members must be a list")
            value = [value]
        return tuple(dict.fromkeys(self._id(member, index) for index, member in enumerate(value)))

    def _id(self, member: Json, index: int) -> str:
        if isinstance(member, dict) and member.keys() <= _USUAL and isinstance(member.get("value"), str):
            accepted = member  # spares the general way, twenty times slower, in a list of thousands
        else:
            accepted = accept_element(self.members, member, self.dialect, f"members[{index}]") or {}
        if not accepted.get("value"):
            raise InvalidValue(f"members[{index}].value must be the id of a member")
        return str(accepted["value"])


_USUAL = frozenset({"value", "$ref", "display", "type"})


def _listed(node: tree.Node) -> tuple[str, ...] | None:
    """The ids of ``value eq "x"``, and of several of these joined by ``or``; None for any other filter."""
    ids = []
    for term in node.terms if isinstance(node, tree.Or) else (node,):
        if not isinstance(term, tree.Comparison) or term.op is not tree.Operator.EQ or term.ref.leaf.name != "value":
            return None
        ids.append(str(term.literal.value))
    return tuple(dict.fromkeys(ids))
