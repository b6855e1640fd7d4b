"""From the stored document to the answer: what the client sees (RFC 7643 section 7, RFC 7644 3.9), and where."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Returned, Schema
from scim_server.scim.errors import InvalidValue
from scim_server.scim.names import qualified
from scim_server.scim.registry import AttributeRef, ResourceType

_Find = Callable[[str], Attribute | None]
_ALWAYS, _NEVER, _REQUEST = Returned.ALWAYS, Returned.NEVER, Returned.REQUEST


@dataclass(frozen=True)
class Projection:
    """Which attributes of a resource type an answer shows; made by ``parse``.

    ``named`` holds the attributes that the client named, by their canonical path in lower case, ``above`` what
    contains them: ``name`` above ``name.givenname``. ``including`` tells ``attributes`` from ``excludedAttributes``.
    """

    resource_type: ResourceType
    including: bool = False
    named: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()

    @classmethod
    def parse(
        cls,
        resource_type: ResourceType,
        *,
        attributes: str | Sequence[str] | None = None,
        excluded: str | Sequence[str] | None = None,
    ) -> "Projection":
        """The projection for the two parameters, each a list or a text with commas; names of no schema are ignored.

        Raises InvalidValue when both are given, which RFC 7644 section 3.9 does not allow.
        """
        if not attributes and not excluded:
            return cls(resource_type)
        if attributes and excluded:
            raise InvalidValue("attributes and excludedAttributes cannot be combined; send one of them")
        named: set[str] = set()
        above: set[str] = set()
        for name in _split(attributes or excluded or ""):
            for path, containers in _resolve(name, resource_type):
                named.add(path)
                above.update(containers)
        return cls(resource_type, bool(attributes), frozenset(named), frozenset(above))

    @property
    def is_default(self) -> bool:
        """Whether the stored document may leave as it lies: nothing asked, and nothing in it to hide."""
        return not self.including and not self.named and not self.resource_type.hides_attributes

    def wants(self, name: str) -> bool:
        """Whether the answer shows (a part of) the top-level attribute, so that it has to be loaded."""
        reference = self.resource_type.find(name)
        return reference is not None and self._shows(reference.attribute, reference.path.lower(), whole=False)

    def names(self, path: str) -> bool:
        """Whether the client asked for exactly this path; some sub-attributes leave only then."""
        return self.including and path.lower() in self.named

    def apply(self, document: Mapping[str, Json]) -> dict[str, Json]:
        """The document with nothing but what the client sees."""
        shown: dict[str, Json] = {}
        for key, value in document.items():
            if schema := self.resource_type.extensions_by_urn.get(key.lower()):
                kept = self._apply_extension(schema, value)
            elif reference := self.resource_type.find(key):
                kept = self._apply_attribute(reference.attribute, key.lower(), value, whole=False)
            else:
                continue
            if kept is not None:
                shown[key] = kept
        return shown

    def _apply_extension(self, schema: Schema, data: Mapping[str, Json]) -> dict[str, Json] | None:
        urn = schema.id.lower()
        if not self.including and urn in self.named:
            return None
        return self._apply_table(schema.attribute, f"{urn}:", data, whole=urn in self.named)

    def _apply_table(
        self, find: _Find, prefix: str, data: Mapping[str, Json], *, whole: bool
    ) -> dict[str, Json] | None:
        shown = {}
        for name, value in data.items():
            attribute = find(name)
            kept = self._apply_attribute(attribute, prefix + name.lower(), value, whole=whole) if attribute else None
            if kept is not None:
                shown[name] = kept
        return shown or None

    def _apply_attribute(self, attribute: Attribute, path: str, value: Json, *, whole: bool) -> Json | None:
        if not self._shows(attribute, path, whole=whole):
            return None
        if not attribute.is_complex:
            return value
        whole = whole or path in self.named or attribute.returned is _ALWAYS
        if not attribute.multi_valued:
            return self._apply_table(attribute.sub, f"{path}.", value, whole=whole)
        elements = (self._apply_table(attribute.sub, f"{path}.", element, whole=whole) for element in value)
        return [element for element in elements if element is not None] or None

    def _shows(self, attribute: Attribute, path: str, *, whole: bool) -> bool:
        """``whole`` tells that what contains the attribute was asked for as a whole."""
        if attribute.returned is _NEVER:
            return False
        if attribute.returned is _ALWAYS:
            return True
        if not self.including:
            return attribute.returned is not _REQUEST and path not in self.named
        return path in self.named or path in self.above or (whole and attribute.returned is not _REQUEST)


def absolute(text: bytes, base_url: bytes) -> bytes:
    """The JSON text with its stored relative references made absolute under ``base_url`` (no slash at its end).

    A quote inside a JSON string is always escaped, so these patterns are a name with the beginning of its value and
    never lie inside a value.
    """
    return text.replace(b'"$ref":"../', b'"$ref":"%b/' % base_url).replace(
        b'"location":"../', b'"location":"%b/' % base_url
    )


def splice(document: bytes, extra: bytes) -> bytes:
    """The JSON object with the members ``extra`` (``"groups":[...]``) at its end; neither is parsed."""
    if not extra:
        return document
    return b"%b%b%b}" % (document[:-1], b"" if document == b"{}" else b",", extra)


def _split(names: str | Sequence[str]) -> Iterator[str]:
    for text in [names] if isinstance(names, str) else names:
        for name in text.split(","):
            if name.strip():
                yield name.strip()


def _resolve(name: str, resource_type: ResourceType) -> Iterator[tuple[str, list[str]]]:
    """The canonical paths that the name stands for, each with what contains it; nothing for an unknown name."""
    split = qualified(name, resource_type)
    if split and not split.rest:
        if split.schema is not resource_type.core:
            yield split.schema.id.lower(), []
        else:
            yield from ((attribute.name.lower(), []) for attribute in resource_type.core)
        return
    attribute, _, sub = (split.rest if split else name).partition(".")
    reference = resource_type.find(attribute, urn=split.schema.id if split else None, sub=sub or None)
    if reference:
        yield reference.path.lower(), _containers(reference)


def _containers(reference: AttributeRef) -> list[str]:
    containers = [reference.urn.lower()] if reference.urn else []
    if reference.sub:
        containers.append(AttributeRef(reference.urn, reference.attribute).path.lower())
    return containers
