"""The expressions of a mapping: each yields texts for a directory object.

How they are spelled is told in ``connectors.expression_syntax``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Source = Mapping[str, Sequence[str]]
"""Attribute name to its values; KeyError means that the read did not tell this attribute, () that it has no value."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class MappingError(ValueError):
    """A mapping that cannot be used; the text begins with the place, such as ``emails[1].value``."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class Expression(Protocol):
    """Something that yields texts for a directory object."""

    def values(self, source: Source) -> Sequence[str]:
        """The texts; raises KeyError when the source does not tell an attribute that is needed."""
        ...

    def describe(self) -> str:
        """The expression in words."""
        ...

    def attributes(self) -> Iterator[str]:
        """The attributes it may read."""
        ...


@dataclass(frozen=True, slots=True)
class Attribute:
    """The values of an attribute, or those that begin with a prefix, without it."""

    name: str
    prefix: str = ""

    def values(self, source: Source) -> Sequence[str]:
        found = source[self.name]
        if not self.prefix:
            return [text for text in found if text]
        return [text[len(self.prefix) :] for text in found if text.startswith(self.prefix) and text != self.prefix]

    def describe(self) -> str:
        return f"{self.name} beginning with {self.prefix}" if self.prefix else self.name

    def attributes(self) -> Iterator[str]:
        yield self.name


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same text."""

    text: str

    def values(self, source: Source) -> Sequence[str]:  # noqa: ARG002 - a constant looks at no object
        return (self.text,)

    def describe(self) -> str:
        return f'"{self.text}"'

    def attributes(self) -> Iterator[str]:
        yield from ()


@dataclass(frozen=True, slots=True)
class First:
    """The first choice that has a value."""

    choices: tuple[Expression, ...]

    def values(self, source: Source) -> Sequence[str]:
        return next((found for choice in self.choices if (found := choice.values(source))), ())

    def describe(self) -> str:
        return ", else ".join(choice.describe() for choice in self.choices)

    def attributes(self) -> Iterator[str]:
        for choice in self.choices:
            yield from choice.attributes()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with attributes in braces; nothing if one of them has no value."""

    text: str
    names: tuple[str, ...]

    def values(self, source: Source) -> Sequence[str]:
        filled = {name: next((text for text in source[name] if text), "") for name in self.names}
        if not all(filled.values()):
            return ()
        return (PLACEHOLDER.sub(lambda placeholder: filled[placeholder[1]], self.text),)

    def describe(self) -> str:
        return f'"{self.text}"'

    def attributes(self) -> Iterator[str]:
        yield from self.names


@dataclass(frozen=True, slots=True)
class Join:
    """The values that exist, as one text."""

    parts: tuple[Expression, ...]
    separator: str

    def values(self, source: Source) -> Sequence[str]:
        texts = [text for part in self.parts for text in part.values(source)]
        return (self.separator.join(texts),) if texts else ()

    def describe(self) -> str:
        joined = " and ".join(part.describe() for part in self.parts)
        return f'{joined} joined with "{self.separator}"' if self.separator else f"{joined} joined"

    def attributes(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.attributes()


@dataclass(frozen=True, slots=True)
class Change:
    """Each value of an expression, changed by a function of this module."""

    inner: Expression
    change: Callable[[str], str]
    words: str

    def values(self, source: Source) -> Sequence[str]:
        return [text for value in self.inner.values(source) if (text := self.change(value))]

    def describe(self) -> str:
        return f"{self.inner.describe()} {self.words}"

    def attributes(self) -> Iterator[str]:
        return self.inner.attributes()


@dataclass(frozen=True, slots=True)
class Match:
    """Each value looked up in a table whose keys are case-folded."""

    inner: Expression
    table: Mapping[str, str]
    otherwise: Expression | None

    def values(self, source: Source) -> Sequence[str]:
        found = [self.table[key] for value in self.inner.values(source) if (key := value.casefold()) in self.table]
        return found or (self.otherwise.values(source) if self.otherwise else ())

    def describe(self) -> str:
        pairs = ", ".join(f"{key} = {text}" for key, text in self.table.items())
        rest = f"; else {self.otherwise.describe()}" if self.otherwise else ""
        return f"{self.inner.describe()} by table ({pairs}{rest})"

    def attributes(self) -> Iterator[str]:
        yield from self.inner.attributes()
        if self.otherwise:
            yield from self.otherwise.attributes()
