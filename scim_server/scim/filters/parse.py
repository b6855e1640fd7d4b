"""Filter text to the resolved tree: grammar by scim2-filter-parser, names and types by the attribute tables.

The library's grammar gives ``and`` and ``or`` one precedence, so parentheses are put around every operand of ``or``
before it reads the tokens. Its syntax tree is turned into ours at once and never kept: its own transpilers edit it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scim2_filter_parser import ast
from scim2_filter_parser.parser import SCIMParser, SCIMParserError

from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.operands import check_operator, is_searchable, typed
from scim_server.scim.filters.tokens import MAX_LENGTH, Token, tokens
from scim_server.scim.filters.tree import (
    NEVER,
    Comparison,
    Literal,
    Node,
    Operator,
    Present,
    ValuePath,
    conjunction,
    disjunction,
    negation,
)
from scim_server.scim.registry import AttributeRef, ResourceType


class UnknownAttribute(InvalidFilter):
    """The filter names an attribute that the resource type does not have."""


def parse_filter(
    text: str, resource_type: ResourceType, *, others: Sequence[ResourceType] = (), max_length: int = MAX_LENGTH
) -> Node:
    """The tree of a filter over resources of that type (RFC 7644 section 3.4.2.2).

    An attribute that only one of the ``others`` has counts as unassigned (section 3.4.2.1: a search over several
    types). Raises UnknownAttribute for one that none has, and InvalidFilter for whatever else is wrong.
    """
    return resolve_tokens(tokens(text, max_length=max_length), resource_type, others)


def resolve_tokens(found: Sequence[Token], resource_type: ResourceType, others: Sequence[ResourceType] = ()) -> Node:
    """As ``parse_filter``, from tokens."""
    return _Resolution(_paths_of(resource_type, others)).node(_syntax(found))


def parse_value_filter(text: str, attribute: AttributeRef) -> Node:
    """The tree of what stands inside ``attribute[...]``. Raises InvalidFilter."""
    return _Resolution(_elements_of(attribute), in_element=True).node(_syntax(tokens(text)))


def parse_attribute(text: str, resource_type: ResourceType) -> AttributeRef:
    """The attribute that a path without filter names, as ``sortBy`` has it. Raises InvalidFilter."""
    found = tokens(text, max_length=512)
    urn = found[0].value if found[0].type == "SCHEMA_URI" else None
    names = [token.value for token in found[bool(urn) :]]
    kinds = [token.type for token in found[bool(urn) :]]
    if kinds not in (["ATTRNAME"], ["ATTRNAME", "SUBATTR"]):
        raise InvalidFilter(f"{text[:200]!r} is not the path of an attribute.")
    path = (names[0], names[1] if len(names) > 1 else None, urn)
    ref = _visible(resource_type, path)
    if ref is None:
        raise _unknown(path, f"resource type {resource_type.name}")
    return ref


_Path = tuple[str, str | None, str | None]
"""Name, sub-attribute and URN as they were written."""


class _Resolution:
    """One walk over the library's tree; ``find`` gives the attribute of a path, None where it never has a value."""

    def __init__(self, find: Callable[[_Path], AttributeRef | None], *, in_element: bool = False) -> None:
        self.find = find
        self.in_element = in_element

    def node(self, filter_: Any) -> Node:
        """The tree of an ``ast.Filter``, an ``ast.LogExpr`` or an ``ast.AttrExpr``."""
        if isinstance(filter_, ast.AttrExpr):
            return self._leaf(filter_)
        if isinstance(filter_, ast.LogExpr):
            join = conjunction if filter_.op == "and" else disjunction
            return join([self.node(operand) for operand in _operands(filter_)])
        if filter_.namespace is not None:
            return self._value_path(filter_)
        inner = self.node(_unwrapped(filter_.expr))
        return negation(inner) if filter_.negated else inner

    def _leaf(self, leaf: ast.AttrExpr) -> Node:
        path = leaf.attr_path
        literal = leaf.comp_value.value if leaf.comp_value else None
        if isinstance(path.attr_name, ast.Filter):
            return self._dotted_value_path(path.attr_name, leaf.value, literal)
        ref = self.find(_written(path))
        if ref is None:
            return negation(NEVER) if _is_negative(leaf.value, literal) else NEVER
        return _compared(ref, leaf.value, literal)

    def _value_path(self, filter_: ast.Filter) -> Node:
        ref = self._multi_valued(filter_.namespace, None)
        return ValuePath(ref, _Resolution(_elements_of(ref), in_element=True).node(filter_.expr)) if ref else NEVER

    def _dotted_value_path(self, filter_: ast.Filter, operator: str, literal: Literal | None) -> Node:
        """``emails[type eq "work"].value eq "x"``: not in the RFC, but how Entra ID looks people up."""
        value_path = _unwrapped(filter_)
        written = value_path.namespace
        if written is None or written.sub_attr is None:
            raise InvalidFilter(
                "Between the ] of a value path and an operator belongs a sub-attribute, such as .value."
            )
        sub = written.sub_attr.value
        ref = self._multi_valued(written, sub)
        negative = _is_negative(operator, literal)
        if ref is None:
            return negation(NEVER) if negative else NEVER
        inside = _elements_of(ref)
        element = inside((sub, None, None))
        test = _compared(element, operator, literal)
        found = ValuePath(
            ref,
            conjunction(
                [_Resolution(inside, in_element=True).node(value_path.expr), negation(test) if negative else test]
            ),
        )
        return negation(found) if negative else found

    def _multi_valued(self, path: ast.AttrPath, sub: str | None) -> AttributeRef | None:
        written = path.sub_attr.value if path.sub_attr else None
        if self.in_element or isinstance(path.attr_name, ast.Filter) or written != sub:
            raise InvalidFilter("A value path has the form attribute[...]; it is neither nested nor a sub-attribute.")
        ref = self.find((path.attr_name, None, path.uri))
        if ref is not None and not ref.attribute.multi_valued:
            raise InvalidFilter(f"The attribute {ref.path} is not multi-valued; compare its sub-attributes directly.")
        return ref


def _compared(ref: AttributeRef, operator: str, literal: Literal | None) -> Node:
    """The comparison without ``ne`` and ``null``; a complex attribute stands for its ``value``."""
    if literal is None:
        return Present(ref)
    if literal.value is None:
        if operator not in ("eq", "ne"):
            raise InvalidFilter(f"null at position {literal.position} of the filter goes with eq and ne only.")
        return Present(ref) if operator == "ne" else negation(Present(ref))
    value = ref.attribute.sub("value") if ref.leaf.is_complex else None
    ref = AttributeRef(ref.urn, ref.attribute, value) if value else ref
    kept = Operator.EQ if operator == "ne" else Operator(operator)
    check_operator(ref, kept)
    found = Comparison(ref, kept, Literal(literal.index, typed(ref, literal), literal.position))
    return negation(found) if operator == "ne" else found


def _is_negative(operator: str, literal: Literal | None) -> bool:
    """Whether the comparison holds where there is no value: ``ne`` a value, ``eq null``."""
    return literal is not None and (operator == "ne") != (literal.value is None)


def _paths_of(resource_type: ResourceType, others: Sequence[ResourceType]) -> Callable[[_Path], AttributeRef | None]:
    def find(path: _Path) -> AttributeRef | None:
        ref = _visible(resource_type, path)
        if ref is None and not any(_visible(other, path) for other in others):
            raise _unknown(path, f"resource type {resource_type.name}")
        return ref

    return find


def _visible(resource_type: ResourceType, path: _Path) -> AttributeRef | None:
    name, sub, urn = path
    ref = resource_type.find(name, urn=urn, sub=sub)
    return ref if ref and is_searchable(ref.attribute) and is_searchable(ref.leaf) else None


def _elements_of(ref: AttributeRef) -> Callable[[_Path], AttributeRef]:
    def find(path: _Path) -> AttributeRef:
        name, sub, urn = path
        if urn or sub:
            raise InvalidFilter(f"Inside {ref.path}[...] stand plain names of its sub-attributes.")
        if not ref.attribute.is_complex and name.lower() == "value":
            return AttributeRef(ref.urn, ref.attribute)
        found = ref.attribute.sub(name)
        if found is None or not is_searchable(found):
            raise _unknown(path, ref.path)
        return AttributeRef(ref.urn, ref.attribute, found)

    return find


def _unknown(path: _Path, where: str) -> UnknownAttribute:
    name, sub, urn = path
    written = (f"{urn}:" if urn else "") + name + (f".{sub}" if sub else "")
    return UnknownAttribute(f"The attribute {written[:200]!r} does not exist in {where}.")


def _written(path: ast.AttrPath) -> _Path:
    return path.attr_name, path.sub_attr.value if path.sub_attr else None, path.uri


def _unwrapped(filter_: Any) -> Any:
    """What is inside filters that only wrap: parentheses leave one each."""
    while isinstance(filter_, ast.Filter) and filter_.namespace is None and not filter_.negated:
        filter_ = filter_.expr
    return filter_


def _operands(expression: ast.LogExpr) -> list[Any]:
    """The operands of a chain of one operator, without recursion: chains lean to the left and may be long."""
    found: list[Any] = []
    left: Any = expression
    while isinstance(left, ast.LogExpr) and left.op == expression.op:
        found.append(_unwrapped(left.expr2))
        left = _unwrapped(left.expr1)
    found.append(left)
    return found[::-1]


def _syntax(found: Sequence[Token]) -> Any:
    reader = _Reader(found)
    try:
        parsed = SCIMParser().parse(iter(reader))
    except SCIMParserError:
        raise reader.error() from None
    if parsed is None:
        raise reader.error()
    return _unwrapped(parsed)


class _Reader:
    """Hands the tokens to the grammar with the parentheses that make ``and`` bind tighter than ``or``."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.found = found
        self.at = -1

    def __iter__(self) -> Iterator[Token]:
        yield _parenthesis("LPAREN")
        for self.at, token in enumerate(self.found):  # noqa: B020 - where an error happened is the point of this object
            if token.type in ("OR", "RPAREN", "RBRACKET"):
                yield _parenthesis("RPAREN")
            yield token
            if token.type in ("OR", "LPAREN", "LBRACKET"):
                yield _parenthesis("LPAREN")
        self.at = len(self.found)
        yield _parenthesis("RPAREN")

    def error(self) -> InvalidFilter:
        """What the grammar did not expect, in words."""
        before = self.found[self.at - 1].type if self.at > 0 else ""
        expected = _EXPECTED.get(before, "a value" if before in _COMPARISONS else _A_JOINT)
        if self.at >= len(self.found):
            return InvalidFilter(f"The filter ends too early: expected {expected}.")
        token = self.found[self.at]
        shown = token.value if isinstance(token.value, str) else "value"
        return InvalidFilter(
            f"Unexpected {str(shown)[:60]!r} at position {token.index + 1} of the filter: expected {expected}."
        )


def _parenthesis(kind: str) -> Token:
    return Token(kind, "(" if kind == "LPAREN" else ")", 0, 0)


_COMPARISONS = frozenset({"EQ", "NE", "CO", "SW", "EW", "GT", "GE", "LT", "LE"})
_A_JOINT = "and, or, a closing bracket or the end"
_A_TERM = "an attribute, not or ("
_AN_OPERATOR = "an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)"
_EXPECTED = {
    "": _A_TERM,
    "LPAREN": _A_TERM,
    "LBRACKET": _A_TERM,
    "AND": _A_TERM,
    "OR": _A_TERM,
    "NOT": "(",
    "ATTRNAME": _AN_OPERATOR,
    "SUBATTR": _AN_OPERATOR,
    "SCHEMA_URI": "the name of an attribute",
}
