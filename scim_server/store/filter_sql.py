"""A resolved filter as a condition on ``resources``, with the meaning that ``scim.filters.match`` gives it.

Every condition is true or false, never null, so that ``not`` is the opposite. Conditions look at one resource at a
time; where an index leads to few resources (``eq``, ``sw``), their numbers are found first and narrow the search. No
plan depends on statistics: SQLite keeps none by itself, PostgreSQL's are stale while a large import runs.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, and_, literal_column, not_, or_, select, union_all
from sqlalchemy import false as sql_false
from sqlalchemy import true as sql_true

from scim_server.scim.characteristics import Type
from scim_server.scim.filters.tree import And, Comparison, Node, Not, Operator, Or, Present, ValuePath
from scim_server.scim.registry import AttributeRef
from scim_server.store.filter_operators import Clause, Operators, Text
from scim_server.store.filter_relations import (
    TENANT,
    column_clause,
    groups_clause,
    is_column,
    junction,
    members_clause,
    terms_of,
)
from scim_server.store.tables.identities import attribute_values, resources

_ONE: ColumnElement[int] = literal_column("1")  # SELECT * would make SQLite leave the index


def filter_clause(node: Node, operators: Operators) -> Clause:
    """The condition; its parameters are collected in ``operators``."""
    match node:
        case And(terms):
            return and_(sql_true(), *(filter_clause(term, operators) for term in terms))
        case Or(terms):
            drivers = [driver for driver in map(_driver, terms) if driver]
            if drivers and len(drivers) == len(terms):
                return _narrowed(drivers, or_(*(_leaf(term, operators) for term in terms)), operators)
            return or_(sql_false(), *(filter_clause(term, operators) for term in terms))
        case Not(term):
            return not_(filter_clause(term, operators))
        case _:
            driver = _driver(node)
            found = _leaf(node, operators)
            return _narrowed([driver], found, operators) if driver else found


def _narrowed(drivers: Sequence[Comparison], found: Clause, operators: Operators) -> Clause:
    """``found``, looked for only where an index finds one of the values; it decides nothing by itself."""
    value = attribute_values.alias()
    ways = [
        select(value.c.resource_pk).where(
            value.c.tenant_id == TENANT,
            value.c.attribute == _number(driver.ref),
            operators.narrow(driver, value.c.head),
        )
        for driver in drivers
    ]
    keys = ways[0] if len(ways) == 1 else select(union_all(*ways).subquery().c.resource_pk)
    return and_(operators.one_of(resources.c.pk, keys), found)


def _driver(node: Node) -> Comparison | None:
    """The comparison in which an index leads straight to few resources, if all that fulfil ``node`` fulfil it."""
    if isinstance(node, ValuePath):
        return None if _is_relation(node.ref) else next(filter(None, map(_driver, terms_of(node.inner))), None)
    if not isinstance(node, Comparison) or is_column(node.ref) or _is_relation(node.ref):
        return None
    leaf = node.ref.leaf
    few_values = leaf.type is Type.BOOLEAN or bool(leaf.canonical_values) or leaf.name == "schemas"
    return node if node.op in (Operator.EQ, Operator.SW) and not few_values else None


def _leaf(node: Node, operators: Operators) -> Clause:
    assert isinstance(node, Present | Comparison | ValuePath)  # noqa: S101 - the other nodes have terms
    if _is_relation(node.ref):
        inner = node.inner if isinstance(node, ValuePath) else node
        return (members_clause if node.ref.attribute.name == "members" else groups_clause)(inner, operators)
    if isinstance(node, ValuePath):
        return _value_path(node, operators)
    if is_column(node.ref):
        return column_clause(node, operators)
    value = attribute_values.alias()
    return _some(operators, value, _rows(value, node.ref, resources.c.pk), _test(node, value, operators))


def _value_path(node: ValuePath, operators: Operators) -> Clause:
    """Some element fulfils all terms: its row is that of a comparison among them, else its own row."""
    value = attribute_values.alias()
    terms = terms_of(node.inner)
    first = next((term for term in terms if isinstance(term, Comparison)), None)
    own = AttributeRef(node.ref.urn, node.ref.attribute)
    return _some(
        operators,
        value,
        _rows(value, first.ref if first else own, resources.c.pk),
        _test(first, value, operators) if first else sql_true(),
        *(junction(term, lambda leaf: _of_element(leaf, value, operators)) for term in terms if term is not first),
    )


def _some(operators: Operators, value: FromClause, *conditions: Clause) -> Clause:
    """Some row of the value index fulfils the conditions, which say of which resource."""
    return operators.some(select(_ONE).select_from(value).where(*conditions).correlate(resources))


def _is_relation(ref: AttributeRef) -> bool:
    return not ref.urn and ref.attribute.name in ("members", "groups")


def _of_element(leaf: Present | Comparison, element: FromClause, operators: Operators) -> Clause:
    """A test of one sub-attribute of the element that ``element`` is a row of."""
    value = attribute_values.alias()
    rows = select(_ONE).where(
        _rows(value, leaf.ref, element.c.resource_pk),
        value.c.element == element.c.element,
        _test(leaf, value, operators),
    )
    return operators.some(rows.correlate(element))


def _rows(value: FromClause, ref: AttributeRef, pk: object) -> Clause:
    """The index rows of an attribute of one resource; those of its sub-attributes for a single complex attribute."""
    attribute = ref.attribute
    of_attribute: Clause
    if ref.sub is None and attribute.is_complex and not attribute.multi_valued:
        subs = [_number(AttributeRef(ref.urn, attribute, sub)) for sub in attribute.sub_attributes]
        of_attribute = value.c.attribute.in_(subs)
    else:
        of_attribute = value.c.attribute == _number(ref)
    return and_(value.c.tenant_id == TENANT, value.c.resource_pk == pk, of_attribute)


def _test(node: Present | Comparison, value: FromClause, operators: Operators) -> Clause:
    if isinstance(node, Present):
        return sql_true()
    # An index may find an equal head of this very resource; for a range it would read those of all resources.
    head = value.c.head if node.op is Operator.EQ else operators.unindexed(value.c.head)
    return operators.compare(node, Text(head, value.c.tail))


def _number(ref: AttributeRef) -> ColumnElement[int]:
    return literal_column(str(ref.number))
