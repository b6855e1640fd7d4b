"""The resolved filter: every name is an attribute of the schema, every literal has the attribute's type.

``ne`` is ``not eq`` and ``eq null`` is ``not pr`` by the time a tree exists, so a backend knows eight operators.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from scim_server.scim.registry import AttributeRef

Scalar = str | bool | int | Decimal | None


class Operator(StrEnum):
    """The comparisons of RFC 7644 table 3 that are left after ``ne`` and ``pr`` are rewritten."""

    EQ = "eq"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


@dataclass(frozen=True, slots=True)
class Literal:
    """The ``index``-th literal of the text (from 0), which stands at ``position`` (from 1)."""

    index: int
    value: Scalar
    position: int = 0


@dataclass(frozen=True, slots=True)
class Present:
    """``ref pr``: some value is there."""

    ref: AttributeRef


@dataclass(frozen=True, slots=True)
class Comparison:
    """``ref op literal``: some value fulfils it. The reference names a simple attribute or sub-attribute."""

    ref: AttributeRef
    op: Operator
    literal: Literal


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``ref[inner]``: some element fulfils ``inner`` as a whole.

    References inside keep the whole path; for a simple multi-valued attribute they are the attribute itself.
    """

    ref: AttributeRef
    inner: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All terms hold."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """A term holds; without terms it never holds (an attribute that the resource type lacks)."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold; there is no third truth value."""

    term: "Node"


Node = Present | Comparison | ValuePath | And | Or | Not
NEVER = Or(())


def negation(node: Node) -> Node:
    """The opposite of a node, never a double negation."""
    return node.term if isinstance(node, Not) else Not(node)


def conjunction(terms: Iterable[Node]) -> Node:
    """All the terms in one flat ``And``; a single term as it is."""
    flat: list[Node] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, And) else (term,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(terms: Iterable[Node]) -> Node:
    """Any of the terms in one flat ``Or``; a single term as it is."""
    flat: list[Node] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Or) else (term,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
