"""A filter evaluated over a document; PATCH selects elements by it, and it is the oracle of the SQL side.

The rules, on both sides:

- A comparison holds if any value of the attribute fulfils it; without a value none holds.
- ``a ne x`` is ``not (a eq x)``: for a multi-valued attribute no value equals x, and it holds where there is no value.
  "Some value differs" is a value path: ``emails[value ne "x"]``.
- ``a eq null`` is ``not (a pr)``. A complex attribute is present as soon as one sub-attribute is.
- ``a[f]`` holds if one element fulfils ``f`` as a whole; ``a[f].b op v`` is ``a[f and b op v]``, and ``not`` of that
  for ``ne``.
- Of a sub-attribute that is multi-valued inside an element of a multi-valued attribute, the first value counts.
- Texts compare by code point, folded (``domain.keys.fold``) unless the attribute is caseExact; dateTimes as moments;
  references to resources by type and id, whatever their base URL.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from operator import contains, eq, ge, gt, le, lt
from typing import Any

from scim_server.domain.keys import fold
from scim_server.scim.characteristics import Attribute, Type
from scim_server.scim.filters.operands import instant, is_resource_reference, relative
from scim_server.scim.filters.tree import And, Comparison, Node, Not, Operator, Or, Present, ValuePath
from scim_server.scim.registry import AttributeRef

Json = Any

_TESTS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: eq,
    Operator.CO: contains,
    Operator.SW: str.startswith,
    Operator.EW: str.endswith,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}


def matches(node: Node, document: Mapping[str, Json]) -> bool:
    """Whether the document fulfils the filter; ``members`` and ``groups`` count only where the document has them."""
    if isinstance(node, ValuePath):
        return any(matches_element(node.inner, element) for element in _whole(node.ref, document))
    return _holds(node, document, _values, matches)


def matches_element(node: Node, element: Json) -> bool:
    """Whether one element of a multi-valued attribute fulfils the inside of a value path."""
    return _holds(node, element, _element_values, matches_element)


def _holds(
    node: Node,
    subject: Any,
    values: Callable[[AttributeRef, Any], Iterable[Json]],
    again: Callable[[Node, Any], bool],
) -> bool:
    match node:
        case And(terms):
            return all(again(term, subject) for term in terms)
        case Or(terms):
            return any(again(term, subject) for term in terms)
        case Not(term):
            return not again(term, subject)
        case Present(ref):
            return any(value not in (None, "", [], {}) for value in values(ref, subject))
        case Comparison(ref, operator, literal):
            leaf, test = ref.leaf, _TESTS[operator]
            operand = _comparable(leaf, literal.value)
            return any(test(_comparable(leaf, value), operand) for value in values(ref, subject) if value is not None)
        case ValuePath():
            raise TypeError("a value path stands neither in a value path nor alone")


def _whole(ref: AttributeRef, document: Mapping[str, Json]) -> list[Json]:
    """The values of the attribute itself; a single value as a list of one."""
    home = document.get(ref.urn) if ref.urn else document
    value = home.get(ref.attribute.name) if home else None
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _values(ref: AttributeRef, document: Mapping[str, Json]) -> Iterable[Json]:
    found = _whole(ref, document)
    if ref.sub is None:
        return found
    if ref.attribute.multi_valued:
        return [_first(element.get(ref.sub.name)) for element in found]
    values = found[0].get(ref.sub.name) if found else None
    return values if isinstance(values, list) else [values]


def _element_values(ref: AttributeRef, element: Json) -> Iterable[Json]:
    return [_first(element.get(ref.sub.name)) if ref.sub else element]


def _first(value: Json) -> Json:
    """The value itself, or the first of a sub-attribute that is multi-valued inside an element."""
    return value[0] if isinstance(value, list) and value else value


def _comparable(attribute: Attribute, value: Json) -> Any:
    """The value in a form that the comparison operators of Python order rightly."""
    if attribute.type is Type.DATE_TIME:
        return instant(value)
    if attribute.type in (Type.INTEGER, Type.DECIMAL):
        return value if isinstance(value, Decimal) else Decimal(str(value))
    if attribute.type is Type.BOOLEAN:
        return value
    text = relative(value) if is_resource_reference(attribute) else value
    return text if attribute.case_exact else fold(text)
