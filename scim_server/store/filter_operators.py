"""The comparisons of filters in SQL, over a text in one column or split into head and tail, with named parameters.

A statement knows the shape of a filter only; what a literal means is worked out by its parameter when it is bound.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    UnaryExpression,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    tuple_,
)
from sqlalchemy.sql.operators import custom_op

from scim_server.domain.times import to_text
from scim_server.scim.characteristics import Type
from scim_server.scim.filters.operands import instant, typed
from scim_server.scim.filters.tree import Comparison, Literal, Operator
from scim_server.scim.index import HEAD, encoder, split_key
from scim_server.scim.registry import AttributeRef

Clause = ColumnElement[bool]
Words = ColumnElement[str]

HIGHEST: Final = "\U0010ffff" * (HEAD + 1)
"""A text that sorts after every head."""

_SPLIT_TYPES = (Type.STRING, Type.REFERENCE, Type.BINARY)


@dataclass(frozen=True, slots=True)
class Text:
    """A stored text in comparison form; ``tail`` is None where one column or expression holds all of it."""

    head: Words
    tail: Words | None = None

    @property
    def whole(self) -> Words:
        return self.head if self.tail is None else self.head.concat(self.tail)


@dataclass(frozen=True, slots=True)
class Parameter:
    """The values of one literal: ``spread`` turns its comparison form into named values."""

    ref: AttributeRef
    index: int
    encode: Callable[[Any], str]
    spread: Callable[[str], dict[str, str]]


def bound(parameters: Iterable[Parameter], literals: Sequence[Literal]) -> dict[str, Any]:
    """The values to run a statement with; raises InvalidFilter where a literal does not fit its attribute."""
    values: dict[str, Any] = {}
    for parameter in parameters:
        value = typed(parameter.ref, literals[parameter.index])
        values.update(parameter.spread(parameter.encode(value)))
    return values


class Operators:
    """Builds comparisons for one database and collects their parameters; ``prefix`` keeps two filters apart."""

    def __init__(self, dialect: str, prefix: str = "") -> None:
        self.dialect = dialect
        self.prefix = prefix
        self.parameters: list[Parameter] = []
        self._numbers = count(1)

    def next_number(self) -> int:
        """A number that no other part of the statement has, for names."""
        return next(self._numbers)

    def compare(self, comparison: Comparison, text: Text) -> Clause:
        """``text op literal``; a text that is not null gives true or false."""
        operator, name = comparison.op, f"{self.prefix}{comparison.literal.index}"
        if operator in (Operator.CO, Operator.EW) or text.tail is None:
            self._add(comparison, lambda key: {name: key})
            return self._whole(operator, text.whole, _value(name))
        if comparison.ref.leaf.type not in _SPLIT_TYPES:
            # These keys are shorter than a head, so the tail, which is in no index, need not be read.
            self._add(comparison, lambda key: {name: key})
            return _ordered(operator, text.head, _value(name))
        if operator is Operator.SW:
            return self._prefixed(comparison, name, text.head, text.tail)
        head, tail = f"{name}h", f"{name}t"
        self._add(comparison, lambda key: dict(zip((head, tail), split_key(key), strict=True)))
        if operator is Operator.EQ:
            return and_(text.head == _value(head), text.tail == _value(tail))
        pair: Any = _ordered(operator, tuple_(text.head, text.tail), tuple_(_value(head), _value(tail)))
        edge = text.head >= _value(head) if operator in (Operator.GT, Operator.GE) else text.head <= _value(head)
        return and_(edge, pair)

    def narrow(self, comparison: Comparison, head: Words) -> Clause:
        """What ``compare`` says of the head of an indexed value, with the same parameters; for ``eq`` and ``sw``.

        An index answers it alone: the values themselves need not be read.
        """
        name = f"{self.prefix}{comparison.literal.index}"
        if comparison.op is Operator.SW:
            return and_(head >= _value(f"{name}l"), head < _value(f"{name}h"))
        return head == _value(f"{name}h" if comparison.ref.leaf.type in _SPLIT_TYPES else name)

    def some(self, rows: Select[Any]) -> Clause:
        """Whether there is such a row: looked up for each resource, whatever the statistics say.

        PostgreSQL would make a join of it; before its first ANALYZE it joins every row with every row.
        """
        return exists(rows.offset(literal_column("0")) if self.dialect == "postgresql" else rows)

    def one_of(self, column: ColumnElement[int], numbers: Select[tuple[int]]) -> Clause:
        """Whether the column is one of the numbers, which are found first and then lead to the rows."""
        if self.dialect == "postgresql":
            return column == func.any(func.array(numbers.scalar_subquery()))
        return column.in_(numbers)

    def unindexed(self, column: Words) -> Words:
        """The column, hidden from SQLite's choice of an index: the resource, not the value, is to lead to the row."""
        return UnaryExpression(column, operator=custom_op("+")) if self.dialect == "sqlite" else column

    def compare_moment(self, comparison: Comparison, column: Words) -> Clause:
        """A comparison with a column of times in microseconds, whatever the precision of the literal."""
        operator, name = comparison.op, f"{self.prefix}{comparison.literal.index}"
        spread = _MOMENTS[operator]
        self.parameters.append(
            Parameter(comparison.ref, comparison.literal.index, str, lambda text: {name: spread(text)})
        )
        return _ordered(operator, column, _value(name))

    def _whole(self, operator: Operator, text: Words, value: Words) -> Clause:
        if operator is Operator.CO:
            position = func.instr if self.dialect == "sqlite" else func.strpos
            return position(text, value) > 0
        if operator is Operator.SW:
            return func.substr(text, 1, func.length(value)) == value
        if operator is Operator.EW:
            return func.substr(text, func.length(text) - func.length(value) + 1) == value
        return _ordered(operator, text, value)

    def _prefixed(self, comparison: Comparison, name: str, head: Words, tail: Words) -> Clause:
        low, high, rest = f"{name}l", f"{name}h", f"{name}t"

        def spread(key: str) -> dict[str, str]:
            start, more = split_key(key)
            return {low: start, high: successor(start), rest: more}

        self._add(comparison, spread)
        within = func.substr(tail, 1, func.length(_value(rest))) == _value(rest)
        return and_(head >= _value(low), head < _value(high), or_(_value(rest) == "", within))

    def _add(self, comparison: Comparison, spread: Callable[[str], dict[str, str]]) -> None:
        ref = comparison.ref
        self.parameters.append(Parameter(ref, comparison.literal.index, encoder(ref.leaf), spread))


def successor(prefix: str) -> str:
    """The lowest text that sorts after every text with that prefix."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return HIGHEST
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are no characters


def _ordered(operator: Operator, left: Any, right: Any) -> Clause:
    compared: dict[Operator, Clause] = {
        Operator.EQ: left == right,
        Operator.GT: left > right,
        Operator.GE: left >= right,
        Operator.LT: left < right,
        Operator.LE: left <= right,
    }
    return compared[operator]


def _value(name: str) -> Words:
    return bindparam(name, type_=String())


def _floor(text: str) -> str:
    moment, nanosecond = instant(text)
    return to_text(moment.replace(microsecond=nanosecond // 1000))


def _ceiling(text: str) -> str:
    moment, nanosecond = instant(text)
    if nanosecond % 1000 == 0:
        return _floor(text)
    try:
        return to_text(moment.replace(microsecond=nanosecond // 1000) + timedelta(microseconds=1))
    except OverflowError:
        return "~"  # after every time


def _exactly(text: str) -> str:
    return _floor(text) if instant(text)[1] % 1000 == 0 else ""


_MOMENTS: dict[Operator, Callable[[str], str]] = {
    Operator.EQ: _exactly,
    Operator.GT: _floor,
    Operator.LE: _floor,
    Operator.GE: _ceiling,
    Operator.LT: _ceiling,
}
