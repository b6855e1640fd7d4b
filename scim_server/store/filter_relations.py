"""Filters over what no document holds: ``id`` and ``meta`` (columns), a group's ``members`` and a user's ``groups``."""

from collections.abc import Callable, Sequence

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    not_,
    or_,
    select,
)
from sqlalchemy import false as sql_false
from sqlalchemy import literal_column as constant
from sqlalchemy import true as sql_true

from scim_server.scim.filters.tree import And, Comparison, Node, Not, Operator, Or, Present, ValuePath
from scim_server.scim.registry import COMMON, AttributeRef
from scim_server.scim.schemas.user import USER
from scim_server.store.filter_operators import Clause, Operators, Text, Words
from scim_server.store.tables.identities import attribute_values, members, resources

TENANT: BindParameter[int] = bindparam("tenant")

_ONE: ColumnElement[int] = constant("1")

Leaf = Callable[[Present | Comparison], Clause]
_MOMENTS = {"created": resources.c.created_at, "lastModified": resources.c.modified_at}


def number_of(attribute: str) -> ColumnElement[int]:
    """The index number of a core attribute of users, as a constant."""
    found = USER.attribute(attribute)
    assert found is not None  # noqa: S101 - called with names of the core schema
    return constant(str(AttributeRef("", found).number))


def junction(node: Node, leaf: Leaf) -> Clause:
    """And, or and not of a filter in SQL; ``leaf`` gives its presence tests and comparisons."""
    match node:
        case And(terms):
            return and_(sql_true(), *(junction(term, leaf) for term in terms))
        case Or(terms):
            return or_(sql_false(), *(junction(term, leaf) for term in terms))
        case Not(term):
            return not_(junction(term, leaf))
        case ValuePath():
            raise TypeError("a value path does not stand inside a value path")
        case _:
            return leaf(node)


def terms_of(node: Node) -> tuple[Node, ...]:
    """The terms that must all hold."""
    return node.terms if isinstance(node, And) else (node,)


def is_column(ref: AttributeRef) -> bool:
    """Whether the attribute is a column of ``resources``."""
    return ref.attribute is COMMON.attribute("id") or ref.attribute is COMMON.attribute("meta")


def column_clause(leaf: Present | Comparison, operators: Operators) -> Clause:
    """A test of ``id`` or ``meta.*``, which every resource has.

    ``meta.version`` is compared without the mark that a user's groups add to it.
    """
    if isinstance(leaf, Present):
        return sql_true()
    name = leaf.ref.leaf.name
    if name in _MOMENTS:
        return operators.compare_moment(leaf, _MOMENTS[name])
    texts: dict[str, Words] = {
        "id": resources.c.id,
        "resourceType": resources.c.type,
        "location": reference_to(resources),
        "version": _sorted_by_code(
            constant("'W/\"'", String).concat(cast(resources.c.version, String)).concat(constant("'\"'", String)),
            operators,
        ),
    }
    return operators.compare(leaf, Text(texts[name]))


def members_clause(inner: Node, operators: Operators) -> Clause:
    """Some live member of the group fulfils ``inner``; by the index of ids where ``inner`` asks for one."""
    member = resources.alias()
    listed = members.alias()
    found = (
        select(listed.c.group_pk)
        .join(member, member.c.pk == listed.c.member_pk)
        .where(
            listed.c.tenant_id == TENANT,
            member.c.tenant_id == TENANT,
            member.c.state == constant("'live'"),
            junction(inner, lambda leaf: _of_resource(leaf, member, operators, Text(_kind(member)))),
        )
    )
    if asks_for_one(inner):
        return operators.one_of(resources.c.pk, found)
    return operators.some(found.where(listed.c.group_pk == resources.c.pk).correlate(resources))


def groups_clause(inner: Node, operators: Operators) -> Clause:
    """Some group of the user, direct or through other groups, fulfils ``inner``.

    The groups that fulfil it are found first, then everybody below them; a cycle ends where nobody new is found.
    """
    terms = terms_of(inner)
    about_group = [term for term in terms if not _names_type(term)]
    about_pair = [term for term in terms if _names_type(term)]
    walk = _below(about_group, operators, with_group=bool(about_pair))
    if not about_pair:
        return operators.one_of(resources.c.pk, select(walk.c.member_pk))
    group, direct = resources.alias(), members.alias()
    is_direct = operators.some(
        select(_ONE)
        .where(
            direct.c.tenant_id == TENANT, direct.c.group_pk == walk.c.group_pk, direct.c.member_pk == walk.c.member_pk
        )
        .correlate(walk)
    )
    kind = _sorted_by_code(
        case(
            (is_direct, constant("'direct'", String)),
            else_=constant("'indirect'", String),
        ),
        operators,
    )
    pairs = (
        select(walk.c.member_pk)
        .join(group, group.c.pk == walk.c.group_pk)
        .where(
            *(junction(term, lambda leaf: _of_resource(leaf, group, operators, Text(kind))) for term in about_pair),
        )
    )
    return operators.one_of(resources.c.pk, pairs)


def asks_for_one(inner: Node) -> bool:
    """Whether the inside of a value path asks for one related resource by its id."""
    return any(
        isinstance(term, Comparison)
        and term.op is Operator.EQ
        and term.ref.sub is not None
        and term.ref.sub.name == "value"
        for term in terms_of(inner)
    )


def _below(about_group: Sequence[Node], operators: Operators, *, with_group: bool) -> FromClause:
    """Members of the live groups that fulfil the terms, through live groups; with ``group_pk`` where it matters."""
    group, first, passed, further = resources.alias(), members.alias(), resources.alias(), members.alias()
    start: Select[tuple[int, ...]] = (
        select(*([first.c.group_pk] if with_group else []), first.c.member_pk)
        .join(group, group.c.pk == first.c.group_pk)
        .where(
            first.c.tenant_id == TENANT,
            group.c.tenant_id == TENANT,
            group.c.state == constant("'live'"),
            *(
                junction(term, lambda leaf: _of_resource(leaf, group, operators, Text(_kind(group))))
                for term in about_group
            ),
        )
    )
    walk = start.cte(f"below_{operators.prefix}{operators.next_number()}", recursive=True)
    # Asked for each row: for a join SQLite would first read all resources into a Bloom filter.
    is_live = operators.some(
        select(_ONE).where(passed.c.pk == walk.c.member_pk, passed.c.state == constant("'live'")).correlate(walk)
    )
    # UNION (not UNION ALL) ends the walk where groups contain each other.
    return walk.union(
        select(*([walk.c.group_pk] if with_group else []), further.c.member_pk)
        .select_from(walk)
        .join(further, and_(further.c.group_pk == walk.c.member_pk, further.c.tenant_id == TENANT))
        .where(is_live)
    )


def _of_resource(leaf: Present | Comparison, related: FromClause, operators: Operators, kind: Text) -> Clause:
    """A test of what a member shows of a group or a group of a member: value, $ref, display and type."""
    name = leaf.ref.sub.name if leaf.ref.sub else "value"
    if isinstance(leaf, Present):
        return related.c.display != constant("''") if name == "display" else sql_true()
    if name == "display":
        return _displayed(leaf, related, operators)
    texts = {"value": Text(related.c.id), "$ref": Text(reference_to(related)), "type": kind}
    return operators.compare(leaf, texts[name])


def _displayed(comparison: Comparison, related: FromClause, operators: Operators) -> Clause:
    """A test of the display name of a resource, or of its user name where it has none."""
    shown, named = attribute_values.alias(), attribute_values.alias()
    has_display_name = operators.some(
        select(_ONE)
        .where(
            named.c.tenant_id == TENANT,
            named.c.resource_pk == shown.c.resource_pk,
            named.c.attribute == number_of("displayName"),
        )
        .correlate(shown)
    )
    is_shown = or_(
        shown.c.attribute == number_of("displayName"),
        and_(shown.c.attribute == number_of("userName"), not_(has_display_name)),
    )
    test = operators.compare(comparison, Text(operators.unindexed(shown.c.head), shown.c.tail))
    rows = select(_ONE).where(shown.c.tenant_id == TENANT, shown.c.resource_pk == related.c.pk, is_shown, test)
    return operators.some(rows.correlate(related))


def _names_type(node: Node) -> bool:
    match node:
        case And(terms) | Or(terms):
            return any(_names_type(term) for term in terms)
        case Not(term):
            return _names_type(term)
        case _:
            return node.ref.sub is not None and node.ref.sub.name == "type"


def _kind(related: FromClause) -> Words:
    return case((related.c.type == constant("'User'"), constant("'user'")), else_=constant("'group'"))


def reference_to(related: FromClause) -> Words:
    """``../Users/<id>``"""
    text: Words = constant("'../'", String).concat(related.c.type).concat(constant("'s/'", String))
    return text.concat(related.c.id)


def _sorted_by_code(text: Words, operators: Operators) -> Words:
    return text.collate("C") if operators.dialect == "postgresql" else text
