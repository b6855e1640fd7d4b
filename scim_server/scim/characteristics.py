"""The attribute characteristics of RFC 7643 section 2.2 and 7, as one immutable table row per attribute."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Type(StrEnum):
    """Data types of RFC 7643 section 2.3."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BINARY = "binary"
    REFERENCE = "reference"
    COMPLEX = "complex"


class Mutability(StrEnum):
    """Who may write an attribute, and when (RFC 7643 section 7)."""

    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(StrEnum):
    """When an attribute is part of an answer (RFC 7643 section 7)."""

    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class Uniqueness(StrEnum):
    """What the service provider promises about equal values (RFC 7643 section 7)."""

    NONE = "none"
    SERVER = "server"
    GLOBAL = "global"


@dataclass(frozen=True)
class Attribute:
    """One attribute or sub-attribute; ``sub_attributes`` is filled for type complex only.

    What is asked for every value is computed once: on Python 3.11 naming an enum member costs 100 ns.
    """

    name: str
    type: Type = Type.STRING
    description: str = ""
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    uniqueness: Uniqueness = Uniqueness.NONE
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple["Attribute", ...] = ()

    @cached_property
    def is_complex(self) -> bool:
        return self.type is Type.COMPLEX

    @cached_property
    def is_read_only(self) -> bool:
        return self.mutability is Mutability.READ_ONLY

    @cached_property
    def is_immutable(self) -> bool:
        return self.mutability is Mutability.IMMUTABLE

    @cached_property
    def is_write_only(self) -> bool:
        return self.mutability is Mutability.WRITE_ONLY

    @cached_property
    def _by_name(self) -> dict[str, "Attribute"]:
        return {sub.name.lower(): sub for sub in self.sub_attributes}

    @cached_property
    def sub_names(self) -> frozenset[str]:
        """The names of the sub-attributes as the schema spells them."""
        return frozenset(sub.name for sub in self.sub_attributes)

    @cached_property
    def required_sub_names(self) -> tuple[str, ...]:
        """The names of the sub-attributes that no value from a client may lack."""
        return tuple(
            sub.name for sub in self.sub_attributes if sub.required and not (sub.is_read_only or sub.is_write_only)
        )

    def sub(self, name: str) -> "Attribute | None":
        """The sub-attribute of that name; names compare without case (RFC 7643 section 2.1)."""
        return self._by_name.get(name.lower())


@dataclass(frozen=True)
class Schema:
    """A schema document: its URN and its attribute table."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...] = field(default=())

    @cached_property
    def _by_name(self) -> dict[str, Attribute]:
        return {attribute.name.lower(): attribute for attribute in self.attributes}

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name; names compare without case (RFC 7643 section 2.1)."""
        return self._by_name.get(name.lower())

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.attributes)
