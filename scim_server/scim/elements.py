"""One complex value, or one element of a multi-valued attribute, while a PATCH changes it (RFC 7644 section 3.5.2)."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from scim_server.domain.observations import Json
from scim_server.scim import errors
from scim_server.scim.characteristics import Attribute, Mutability
from scim_server.scim.filters import tree
from scim_server.scim.filters.match import matches_element
from scim_server.scim.multi_values import LABELS


def overlay(attribute: Attribute, current: Mapping[str, Json], changes: Mapping[str, Json]) -> dict[str, Json]:
    """The current value with the changes in place of what they name; names compare without case."""
    merged = dict(current)
    for name, value in changes.items():
        sub = attribute.sub(name)
        merged[sub.name if sub else name] = value
    return merged


def require_kept(attribute: Attribute, before: Mapping[str, Json], after: Mapping[str, Json] | None) -> None:
    """Raise Mutability when a value that stays has lost an immutable sub-attribute or got another."""
    if after is None:
        return
    for sub in attribute.sub_attributes:
        if sub.mutability is Mutability.IMMUTABLE and sub.name in before and after.get(sub.name) != before[sub.name]:
            raise errors.Mutability(f"{attribute.name}.{sub.name} is immutable; it can be set once and not changed")


def says_nothing(element: Mapping[str, Json]) -> bool:
    """Whether only labels are left; Entra ID clears an address one sub-attribute at a time and never its ``type``."""
    return element.keys() <= LABELS | {"type"}


def condition(node: tree.Node | None) -> Callable[[Json], bool] | None:
    """The filter as a question to one element."""
    return None if node is None else lambda element: matches_element(node, element)


def equal_terms(node: tree.Node) -> dict[str, Json] | None:
    """What every element that matches has, when the filter says so: ``eq``, and ``eq`` joined by ``and``.

    None for all other filters, and for one that asks for two values at once.
    """
    terms: dict[str, Json] = {}
    for term in node.terms if isinstance(node, tree.And) else (node,):
        if not isinstance(term, tree.Comparison) or term.op is not tree.Operator.EQ:
            return None
        value: Json = term.literal.value
        if isinstance(value, Decimal):
            value = int(value) if value == value.to_integral_value() else float(value)
        if terms.setdefault(term.ref.leaf.name, value) != value:
            return None
    return terms
