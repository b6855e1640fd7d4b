"""A stored document while a PATCH changes it: a copy that shares with the original what was not touched."""

from collections.abc import Mapping

from scim_server.domain.observations import Json
from scim_server.scim import errors
from scim_server.scim.characteristics import Mutability
from scim_server.scim.multi_values import MultiValue
from scim_server.scim.registry import AttributeRef, ResourceType
from scim_server.scim.validate import require


class Draft:
    """Attributes are read and set one by one; ``document`` closes the draft and checks what only the end can tell."""

    def __init__(self, original: Mapping[str, Json], resource_type: ResourceType) -> None:
        self._original = original
        self._resource_type = resource_type
        self._root = dict(original)
        self._copied = {""}
        self._multi_values: dict[tuple[str, str], MultiValue] = {}
        self._immutable: set[tuple[str, str]] = set()

    def value(self, reference: AttributeRef) -> Json | None:
        """The value of a single-valued attribute, None when it has none."""
        return _value(self._root, reference.urn, reference.attribute.name)

    def set(self, reference: AttributeRef, value: Json | None) -> None:
        """The attribute has that value, or none when it is None."""
        self._guard(reference)
        self._store(reference.urn, reference.attribute.name, value)

    def values(self, reference: AttributeRef) -> MultiValue:
        """The values of a multi-valued attribute; what is done to them becomes part of the document."""
        place = (reference.urn, reference.attribute.name)
        found = self._multi_values.get(place)
        if found is None:
            self._guard(reference)
            found = MultiValue(reference.attribute, _value(self._root, *place) or ())
            self._multi_values[place] = found
        return found

    def document(self) -> dict[str, Json]:
        """The changed document, ``schemas`` listing what is there.

        Raises Mutability when an immutable attribute changed its value, InvalidValue when a required one has none.
        """
        for place, multi_value in self._multi_values.items():
            if multi_value.values != (_value(self._root, *place) or []):
                self._store(*place, multi_value.values or None)
        for place in self._immutable:
            before = _value(self._original, *place)
            if before is not None and before != _value(self._root, *place):
                raise errors.Mutability(f"{place[1]} is immutable; it can be set once and not changed")
        self._list_schemas()
        self._require()
        return self._root

    def _require(self) -> None:
        try:
            require(self._root, self._resource_type)
        except errors.InvalidValue:
            # a document that lacked something before (the schema became stricter) must still be open to changes
            if _is_complete(self._original, self._resource_type):
                raise

    def _guard(self, reference: AttributeRef) -> None:
        if reference.attribute.mutability is Mutability.IMMUTABLE:
            self._immutable.add((reference.urn, reference.attribute.name))

    def _store(self, urn: str, name: str, value: Json | None) -> None:
        if urn not in self._copied:
            self._root[urn] = dict(self._root.get(urn, {}))
            self._copied.add(urn)
        container = self._root[urn] if urn else self._root
        if value is None:
            container.pop(name, None)
        else:
            container[name] = value

    def _list_schemas(self) -> None:
        for urn in self._copied - {""}:
            if not self._root[urn]:
                del self._root[urn]
        listed = self._root.get("schemas", [])
        known = [self._resource_type.core.id, *(schema.id for schema in self._resource_type.extensions)]
        present = [urn for urn in (*known, *listed) if urn == known[0] or urn in self._root]
        if set(present) != set(listed):
            self._root["schemas"] = list(dict.fromkeys(present))


def _value(document: Mapping[str, Json], urn: str, name: str) -> Json | None:
    container = document.get(urn) if urn else document
    return container.get(name) if container else None


def _is_complete(document: Mapping[str, Json], resource_type: ResourceType) -> bool:
    try:
        require(document, resource_type)
    except errors.InvalidValue:
        return False
    return True
