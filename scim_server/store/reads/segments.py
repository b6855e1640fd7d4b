"""The statements of one kind of query: prepared once for each shape of filter, sorting and resource types.

A listing is a row of segments, each in an order that an index gives: one for each resource type, or, when sorted by an
attribute, the resources that have a value and those that have none (RFC 7644 section 3.4.2.3 puts these last).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, and_, bindparam, func, not_, or_, select, tuple_
from sqlalchemy import literal_column as constant

from scim_server.scim.characteristics import Type
from scim_server.scim.errors import InvalidFilter, InvalidValue
from scim_server.scim.filters.parse import parse_attribute, resolve_tokens
from scim_server.scim.filters.tokens import Token, shape
from scim_server.scim.registry import AttributeRef, ResourceType
from scim_server.store.filter_operators import Clause, Operators, Parameter
from scim_server.store.filter_relations import TENANT, is_column, reference_to
from scim_server.store.filter_sql import filter_clause
from scim_server.store.reads.resources import STORED, visible
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import attribute_values, resources

_ONE: ColumnElement[int] = constant("1")
_PK: ColumnElement[int] = resources.c.pk
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": resources.c.id,
    "resourceType": resources.c.type,
    "created": resources.c.created_at,
    "lastModified": resources.c.modified_at,
    "version": resources.c.version,
    "location": reference_to(resources),
}


class Segment:
    """One stretch of a listing; the last column of its rows is their sort key, the number where there is none."""

    def __init__(self, source: FromClause, where: Clause, key: ColumnElement[Any], *, descending: bool = False) -> None:
        order = [key, _PK] if key is not _PK else [_PK]
        base = select(*STORED, key).select_from(source).where(where)
        ordered = base.order_by(*(column.desc() for column in order) if descending else order)
        after: Any = [bindparam("key", type_=key.type), bindparam("pk", type_=_PK.type)] if key is not _PK else None
        left: Any = tuple_(*order) if after else _PK
        right: Any = tuple_(*after) if after else bindparam("pk", type_=_PK.type)
        limit, offset = bindparam("limit", type_=Integer()), bindparam("offset", type_=Integer())
        self.page = Statement(ordered.limit(limit).offset(offset))
        self.after = Statement(ordered.where(left < right if descending else left > right).limit(limit))
        self.count = Statement(select(func.count()).select_from(source).where(where))


@dataclass(frozen=True, slots=True)
class Listed:
    """The statements of a query, and the parameters its literals fill."""

    segments: tuple[Segment, ...]
    count: Statement
    parameters: tuple[Parameter, ...]


class Shape:
    """What decides the statements of a query: two queries of equal shape differ in values only."""

    __slots__ = ("_key", "descending", "dialect", "resource_types", "sort_by", "tokens")

    def __init__(
        self,
        dialect: str,
        resource_types: Sequence[ResourceType],
        tokens: Sequence[Token],
        sort_by: str | None,
        descending: bool,
    ) -> None:
        self.dialect = dialect
        self.resource_types = resource_types
        self.tokens = tokens
        self.sort_by = sort_by
        self.descending = descending
        # A resource type stands for itself: to compare two by their tables would take longer than the query.
        self._key = (dialect, tuple(map(id, resource_types)), shape(tokens), sort_by, descending)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and other._key == self._key


@lru_cache(maxsize=512)
def listed(query: Shape) -> Listed:
    """The statements for a shape; raises InvalidFilter, and InvalidValue for what cannot be sorted by."""
    parameters: list[Parameter] = []
    conditions = [_of_type(query, number, parameters) for number in range(len(query.resource_types))]
    everything = or_(*conditions)
    if query.sort_by is None:
        segments = tuple(Segment(resources, condition, _PK) for condition in conditions)
    else:
        segments = _sorted(query, everything)
    count = Statement(select(func.count()).select_from(resources).where(everything))
    return Listed(segments, count, tuple(parameters))


def _of_type(query: Shape, number: int, parameters: list[Parameter]) -> Clause:
    """The live resources of one type that the viewer may see and that fulfil the filter."""
    resource_type = query.resource_types[number]
    operators = Operators(query.dialect, f"f{number}_")
    terms = [
        resources.c.tenant_id == TENANT,
        resources.c.type == constant(f"'{resource_type.name}'"),
        resources.c.state == constant("'live'"),
        visible(),
    ]
    if query.tokens:
        terms.append(filter_clause(resolve_tokens(query.tokens, resource_type, query.resource_types), operators))
    parameters.extend(operators.parameters)
    return and_(*terms)


def _sort_attribute(query: Shape) -> AttributeRef:
    """The simple attribute that ``sortBy`` names; a complex one with a ``value`` stands for that."""
    assert query.sort_by is not None  # noqa: S101 - asked for sorted queries only
    problem = ""
    for resource_type in query.resource_types:
        try:
            ref = parse_attribute(query.sort_by, resource_type)
        except InvalidFilter as error:
            problem = error.detail
            continue
        value = ref.attribute.sub("value") if ref.leaf.is_complex else None
        ref = AttributeRef(ref.urn, ref.attribute, value) if value else ref
        if ref.leaf.type is Type.COMPLEX or (not ref.urn and ref.attribute.name in ("members", "groups")):
            raise InvalidValue(f"Resources cannot be sorted by {ref.path}.")
        return ref
    raise InvalidValue(f"sortBy: {problem}")


def _sorted(query: Shape, where: Clause) -> tuple[Segment, ...]:
    ref, descending = _sort_attribute(query), query.descending
    if is_column(ref):
        return (Segment(resources, where, _COLUMNS[ref.leaf.name], descending=descending),)
    value = attribute_values.alias("sorted")
    number: ColumnElement[int] = constant(str(ref.number))
    operators = Operators(query.dialect)
    any_value = operators.some(select(_ONE).where(_is_of(attribute_values, number)).correlate(resources))
    chosen = _is_first(ref, value, operators) if ref.is_multi_valued else value.c.element == constant("0")
    with_value = Segment(
        resources.join(value, and_(_is_of(value, number), chosen)), where, value.c.head, descending=descending
    )
    if all(_is_required(ref, resource_type) for resource_type in query.resource_types):
        return (with_value,)
    without = Segment(resources, and_(where, ~any_value), _PK, descending=descending)
    return (without, with_value) if descending else (with_value, without)


def _is_required(ref: AttributeRef, resource_type: ResourceType) -> bool:
    """Whether every resource of the type has the value, so that nobody need look for those without."""
    attribute = None if ref.urn or ref.sub else resource_type.core.attribute(ref.attribute.name)
    return attribute is not None and attribute.required


def _is_of(value: FromClause, number: ColumnElement[int], pk: ColumnElement[int] = _PK) -> Clause:
    return and_(value.c.tenant_id == TENANT, value.c.resource_pk == pk, value.c.attribute == number)


def _is_first(ref: AttributeRef, value: FromClause, operators: Operators) -> Clause:
    """Whether a row is the one to sort by: that of the primary element, else of the first that has the value."""
    earlier, other, mark = (attribute_values.alias(name) for name in ("earlier", "other", "mark"))
    number: ColumnElement[int] = constant(str(ref.number))
    before = select(_ONE).where(_is_of(earlier, number, value.c.resource_pk), earlier.c.element < value.c.element)
    is_first = not_(operators.some(before.correlate(value)))
    primary = ref.attribute.sub("primary")
    if primary is None:
        return is_first
    primaries: ColumnElement[int] = constant(str(AttributeRef(ref.urn, ref.attribute, primary).number))
    marked = select(_ONE).where(_is_of(mark, primaries, value.c.resource_pk), mark.c.head == constant("'1'"))
    is_primary = operators.some(marked.where(mark.c.element == value.c.element).correlate(value))
    same = select(_ONE).where(_is_of(other, number, mark.c.resource_pk), other.c.element == mark.c.element)
    any_primary = operators.some(marked.where(operators.some(same.correlate(mark))).correlate(value))
    return or_(is_primary, and_(is_first, not_(any_primary)))
