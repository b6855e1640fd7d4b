"""A resolved filter as a condition on ``resources``, with the meaning that ``scim.filters.match`` gives it.

Every condition is true or false, never null, so that ``not`` is the opposite. What an index can answer at once (``eq``
and ``sw``) comes first as ``pk IN (...)``; everything else is looked up for one resource at a time.
"""

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, literal_column, not_, or_, select, union_all
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


def filter_clause(node: Node, operators: Operators) -> Clause:
    """The condition; its parameters are collected in ``operators``."""
    match node:
        case And(terms):
            return and_(sql_true(), *(filter_clause(term, operators) for term in terms))
        case Or(terms) if len(terms) > 1 and all(_is_driven(term) for term in terms):
            found = (_keys(term, operators) for term in terms)
            return resources.c.pk.in_(select(union_all(*found).subquery().c.resource_pk))
        case Or(terms):
            return or_(sql_false(), *(filter_clause(term, operators) for term in terms))
        case Not(term):
            return not_(filter_clause(term, operators))
        case _:
            return _leaf(node, operators)


def _leaf(node: Present | Comparison | ValuePath, operators: Operators) -> Clause:
    relation = None if node.ref.urn else node.ref.attribute.name
    if relation in ("members", "groups"):
        inner = node.inner if isinstance(node, ValuePath) else node
        return (members_clause if relation == "members" else groups_clause)(inner, operators)
    if isinstance(node, ValuePath):
        return _value_path(node, operators)
    if is_column(node.ref):
        return column_clause(node, operators)
    if _is_driven(node):
        return resources.c.pk.in_(_keys(node, operators))
    value = attribute_values.alias()
    return (
        exists(literal_column("1"))
        .where(_rows(value, node.ref, resources.c.pk), _test(node, value, operators))
        .correlate(resources)
    )


def _value_path(node: ValuePath, operators: Operators) -> Clause:
    if _is_driven(node):
        return resources.c.pk.in_(_keys(node, operators))
    element = attribute_values.alias()
    return (
        exists(literal_column("1"))
        .where(
            _rows(element, AttributeRef(node.ref.urn, node.ref.attribute), resources.c.pk),
            junction(node.inner, lambda leaf: _of_element(leaf, element, operators)),
        )
        .correlate(resources)
    )


def _is_driven(node: Node) -> bool:
    """Whether an index leads straight to the resources."""
    if isinstance(node, ValuePath):
        if not node.ref.urn and node.ref.attribute.name in ("members", "groups"):
            return False
        return any(_is_driven(term) for term in terms_of(node.inner))
    if not isinstance(node, Comparison) or is_column(node.ref):
        return False
    if not node.ref.urn and node.ref.attribute.name in ("members", "groups"):
        return False
    leaf = node.ref.leaf
    few_values = leaf.type is Type.BOOLEAN or bool(leaf.canonical_values) or leaf.name == "schemas"
    return node.op in (Operator.EQ, Operator.SW) and not few_values


def _keys(node: Node, operators: Operators) -> Select[tuple[int]]:
    """The resources that a driven node leads to."""
    value = attribute_values.alias()
    terms = terms_of(node.inner) if isinstance(node, ValuePath) else (node,)
    driver = next(term for term in terms if isinstance(term, Comparison) and _is_driven(term))
    others = [term for term in terms if term is not driver]
    return select(value.c.resource_pk).where(
        value.c.tenant_id == TENANT,
        value.c.attribute == _number(driver.ref),
        _test(driver, value, operators),
        *(junction(term, lambda leaf: _of_element(leaf, value, operators)) for term in others),
    )


def _of_element(leaf: Present | Comparison, element: FromClause, operators: Operators) -> Clause:
    """A test of one sub-attribute of the element that ``element`` is a row of."""
    value = attribute_values.alias()
    return (
        exists(literal_column("1"))
        .where(
            _rows(value, leaf.ref, element.c.resource_pk),
            value.c.element == element.c.element,
            _test(leaf, value, operators),
        )
        .correlate(element)
    )


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
    return operators.compare(node, Text(value.c.head, value.c.tail))


def _number(ref: AttributeRef) -> ColumnElement[int]:
    return literal_column(str(ref.number))
