"""Resource types with their schemas, and the resolution of attribute names (RFC 7643 sections 2.1, 3.1 and 6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2s

from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type, Uniqueness
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_USER
from scim_server.scim.schemas.group import GROUP
from scim_server.scim.schemas.user import USER

COMMON = Schema(
    "",
    "Common",
    "Attributes of every resource (RFC 7643 section 3.1).",
    (
        Attribute(
            "id",
            case_exact=True,
            mutability=Mutability.READ_ONLY,
            returned=Returned.ALWAYS,
            uniqueness=Uniqueness.GLOBAL,
        ),
        Attribute("externalId", case_exact=True),
        Attribute(
            "schemas",
            Type.REFERENCE,
            multi_valued=True,
            case_exact=True,
            returned=Returned.ALWAYS,
        ),
        Attribute(
            "meta",
            Type.COMPLEX,
            mutability=Mutability.READ_ONLY,
            sub_attributes=(
                Attribute("resourceType", case_exact=True, mutability=Mutability.READ_ONLY),
                Attribute("created", Type.DATE_TIME, mutability=Mutability.READ_ONLY),
                Attribute("lastModified", Type.DATE_TIME, mutability=Mutability.READ_ONLY),
                Attribute("location", Type.REFERENCE, case_exact=True, mutability=Mutability.READ_ONLY),
                Attribute("version", case_exact=True, mutability=Mutability.READ_ONLY),
            ),
        ),
    ),
)


COMPUTED = ("members", "groups")
"""Attributes that no stored document holds: rows of a table of their own, added when a resource is read."""


@dataclass(frozen=True)
class AttributeRef:
    """An attribute found by name: which schema, which attribute, and the sub-attribute where one was named.

    ``urn`` is the extension's URN, or "" for core and common attributes.
    """

    urn: str
    attribute: Attribute
    sub: Attribute | None = None

    @cached_property
    def path(self) -> str:
        """The canonical spelling: ``name.givenName``, ``urn:...:User:manager.value``."""
        text = f"{self.urn}:{self.attribute.name}" if self.urn else self.attribute.name
        return f"{text}.{self.sub.name}" if self.sub else text

    @cached_property
    def number(self) -> int:
        """A 31-bit number that stands for the path in the value index; the registry refuses collisions."""
        return int.from_bytes(blake2s(self.path.lower().encode(), digest_size=4).digest()) & 0x7FFFFFFF

    @property
    def leaf(self) -> Attribute:
        return self.sub or self.attribute

    @property
    def is_multi_valued(self) -> bool:
        return self.attribute.multi_valued


@dataclass(frozen=True)
class ResourceType:
    """One resource type: its core schema and its extensions (RFC 7643 section 6)."""

    name: str
    endpoint: str
    description: str
    core: Schema
    extensions: tuple[Schema, ...] = ()

    @cached_property
    def extensions_by_urn(self) -> dict[str, Schema]:
        """Extension URN in lower case to its schema."""
        return {schema.id.lower(): schema for schema in self.extensions}

    @cached_property
    def plain_names(self) -> tuple[str, ...]:
        """The names of the common and core attributes, in the order of the schemas."""
        return tuple(attribute.name for attribute in (*COMMON, *self.core))

    @cached_property
    def hides_attributes(self) -> bool:
        """Whether a stored document may hold what leaves on request only, or never (RFC 7643 section 7)."""
        return any(
            leaf.returned in (Returned.REQUEST, Returned.NEVER) and not leaf.is_write_only
            for reference in self.references()
            if reference.urn or reference.attribute.name not in COMPUTED
            for leaf in (reference.attribute, *reference.attribute.sub_attributes)
        )

    @cached_property
    def _names(self) -> dict[str, tuple[AttributeRef, ...]]:
        found: dict[str, tuple[AttributeRef, ...]] = {}
        for schema in self.extensions:
            for attribute in schema:
                key = attribute.name.lower()
                found[key] = (*found.get(key, ()), AttributeRef(schema.id, attribute))
        for attribute in (*COMMON, *self.core):
            found[attribute.name.lower()] = (AttributeRef("", attribute),)
        return found

    def find(self, name: str, *, urn: str | None = None, sub: str | None = None) -> AttributeRef | None:
        """The attribute of that name, or None.

        Without a URN the core and common attributes come first; then an extension attribute is taken if exactly one
        extension has that name (Entra ID writes ``manager`` and ``department`` bare). Names and URNs compare
        without case.
        """
        base = self._qualified(urn, name) if urn else self._bare(name)
        if base is None or sub is None:
            return base
        sub_attribute = base.attribute.sub(sub)
        return AttributeRef(base.urn, base.attribute, sub_attribute) if sub_attribute else None

    def _bare(self, name: str) -> AttributeRef | None:
        found = self._names.get(name.lower(), ())
        return found[0] if len(found) == 1 else None

    def _qualified(self, urn: str, name: str) -> AttributeRef | None:
        if urn.lower() == self.core.id.lower():
            attribute = self.core.attribute(name) or COMMON.attribute(name)
            return AttributeRef("", attribute) if attribute else None
        schema = self.extensions_by_urn.get(urn.lower())
        attribute = schema.attribute(name) if schema else None
        return AttributeRef(schema.id, attribute) if schema and attribute else None

    def references(self) -> Iterator[AttributeRef]:
        """Every attribute (without sub-attributes) of the resource type: common, core, extensions."""
        for attribute in (*COMMON, *self.core):
            yield AttributeRef("", attribute)
        for schema in self.extensions:
            for attribute in schema:
                yield AttributeRef(schema.id, attribute)


@dataclass(frozen=True, eq=False)
class SchemaRegistry:
    """The resource types a tenant serves; immutable, so a changed set of schemas is a new registry.

    It is equal to itself alone, so that it may be the key of a cache: to compare its tables takes long.
    """

    user: ResourceType
    group: ResourceType

    @classmethod
    def standard(
        cls, user_extensions: Sequence[Schema] = (), group_extensions: Sequence[Schema] = ()
    ) -> "SchemaRegistry":
        """The core types with the enterprise extension and the given run-time extensions."""
        return cls(
            user=ResourceType("User", "/Users", "User Account", USER, (ENTERPRISE_USER, *user_extensions)),
            group=ResourceType("Group", "/Groups", "Group", GROUP, tuple(group_extensions)),
        )

    def __post_init__(self) -> None:
        numbers: dict[int, str] = {}
        for reference in self._leaves():
            path = reference.path.lower()
            if numbers.setdefault(reference.number, path) != path:
                raise ValueError(f"the attributes {path!r} and {numbers[reference.number]!r} share an index number")

    def _leaves(self) -> Iterator[AttributeRef]:
        for resource_type in self.types:
            for reference in resource_type.references():
                yield reference
                for sub in reference.attribute.sub_attributes:
                    yield AttributeRef(reference.urn, reference.attribute, sub)

    @property
    def types(self) -> tuple[ResourceType, ...]:
        return (self.user, self.group)

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """Every schema once, core before extensions."""
        found: dict[str, Schema] = {}
        for resource_type in self.types:
            for schema in (resource_type.core, *resource_type.extensions):
                found.setdefault(schema.id, schema)
        return tuple(found.values())

    def type_named(self, name: str) -> ResourceType:
        """The resource type of that name ("User", "Group"); raises KeyError."""
        return {resource_type.name: resource_type for resource_type in self.types}[name]
