"""PATCH (RFC 7644 section 3.5.2): operations applied to a stored document, all of them or none.

Pure: the given document is never changed, and what the operations do not touch is shared with the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scim_server.domain.observations import Json
from scim_server.scim import errors
from scim_server.scim.characteristics import Attribute, Mutability, Schema
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.draft import Draft
from scim_server.scim.elements import condition, equal_terms, overlay, require_kept, says_nothing
from scim_server.scim.errors import InvalidSyntax, InvalidValue, NoTarget
from scim_server.scim.names import shorten
from scim_server.scim.paths import Path, attributes_of, parse_path
from scim_server.scim.registry import AttributeRef, ResourceType
from scim_server.scim.values import accept, accept_element, is_unassigned

ADD, REMOVE, REPLACE = VERBS = ("add", "remove", "replace")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was sent; ``has_value`` tells null from an absent ``value``."""

    op: str
    path: str | None = None
    value: Json = None
    has_value: bool = False


def apply(
    document: Mapping[str, Json], operations: Sequence[Operation], resource_type: ResourceType, dialect: Dialect
) -> dict[str, Json]:
    """The document with all operations applied in order, ``schemas`` following the extensions that came or went.

    Without a change the result equals the document. Complex values and selected elements are merged, not exchanged
    (section 3.5.2.3); an unassigned value (null, "", [], {}) clears. An element left with nothing but ``type`` and
    labels is taken out. Raises a ScimError of status 400 that names the path.
    """
    patch = _Patch(Draft(document, resource_type), document.get("id"), resource_type, dialect)
    for operation in operations:
        patch.apply(operation)
    return patch.draft.document()


def verb(operation: Operation, dialect: Dialect) -> str:
    """One of VERBS; raises InvalidSyntax for anything else."""
    name = operation.op
    if name in VERBS:
        return name
    if name.lower() in VERBS and dialect.tolerates(Tolerance.OPERATION_NAME_CASE):
        return name.lower()
    raise InvalidSyntax(f"op {shorten(name)}: it must be add, remove or replace")


@dataclass(frozen=True, slots=True)
class _Patch:
    draft: Draft
    id: str | None
    resource_type: ResourceType
    dialect: Dialect

    def apply(self, operation: Operation) -> None:
        name = verb(operation, self.dialect)
        if name == REMOVE:
            self._remove(operation)
        elif not operation.has_value:
            raise InvalidValue(f"{name} needs a value")
        elif operation.path is not None:
            path = parse_path(operation.path, self.resource_type, self.dialect)
            self._write(path, operation.value, adding=name == ADD)
        else:
            for path, value in attributes_of(operation.value, self.resource_type, self.dialect):
                if not self._repeats_what_was_read(path, value):
                    self._write(path, value, adding=name == ADD)

    def _repeats_what_was_read(self, path: Path, value: Json) -> bool:
        """Whether a key of a value without path is one that only the server sets; clients send those back."""
        if isinstance(path.reference, Schema) or path.reference.attribute.mutability is not Mutability.READ_ONLY:
            return False
        if path.reference.path == "id":
            return bool(value == self.id) and self.dialect.tolerates(Tolerance.OWN_ID_IN_VALUE)
        return self.dialect.tolerates(Tolerance.READ_ONLY_IN_VALUE)

    def _write(self, path: Path, value: Json, *, adding: bool) -> None:
        if isinstance(path.reference, Schema):
            self._write_extension(path.reference, value, adding=adding)
            return
        reference, attribute = path.reference, path.reference.attribute
        _require_writable(path, reference)
        if reference.path == "schemas":
            return  # computed from what is there
        if attribute.mutability is Mutability.WRITE_ONLY:
            accept(path.sub or attribute, value, self.dialect, path.text)  # checked and discarded
        elif attribute.multi_valued:
            self._write_values(path, reference, value, adding=adding)
        elif path.sub:
            self._merge_into_value(path, reference, {path.sub.name: value})
        elif attribute.is_complex and isinstance(value, Mapping) and value:
            self._merge_into_value(path, reference, value)
        else:
            accepted = accept(attribute, value, self.dialect, path.text)
            if isinstance(accepted, Mapping):
                self._merge_into_value(path, reference, accepted)
            else:
                self.draft.set(reference, accepted)

    def _write_extension(self, schema: Schema, value: Json, *, adding: bool) -> None:
        if isinstance(value, Mapping):
            for path, item in attributes_of({schema.id: value}, self.resource_type, self.dialect):
                if not self._repeats_what_was_read(path, item):
                    self._write(path, item, adding=adding)
        elif value in (None, ""):
            self._remove_extension(schema)
        else:
            raise InvalidValue(f"{schema.id}: the value must be an object of attributes")

    def _merge_into_value(self, path: Path, reference: AttributeRef, changes: Mapping[str, Json]) -> None:
        current = self.draft.value(reference) or {}
        merged = accept(reference.attribute, overlay(reference.attribute, current, changes), self.dialect, path.text)
        require_kept(reference.attribute, current, merged)
        self.draft.set(reference, merged)

    def _write_values(self, path: Path, reference: AttributeRef, value: Json, *, adding: bool) -> None:
        values = self.draft.values(reference)
        if path.is_plain:
            new = accept(reference.attribute, value, self.dialect, path.text) or []
            (values.add if adding else values.exchange)(new)
            return
        changes = {path.sub.name: value} if path.sub else self._changes(path, reference.attribute, value)
        places = values.select(condition(path.element_filter), path.effort)
        if places:
            changed = {
                place: self._changed(path, reference.attribute, values.values[place], changes) for place in places
            }
            values.put(changed, primary=isinstance(changes, Mapping) and any(k.lower() == "primary" for k in changes))
        else:
            created = self._created(path, reference.attribute, changes)
            values.add([] if created is None else [created])

    def _changes(self, path: Path, attribute: Attribute, value: Json) -> Json | None:
        """What ``attr[filter]`` without a sub-attribute sets: an object, a simple value, or None to take out."""
        if isinstance(value, Mapping) and value:
            return value
        accepted = accept(attribute, value, self.dialect, path.text) or [None]
        if len(accepted) > 1:
            raise InvalidValue(f"{path.text}: a path with a filter takes one value, not {len(accepted)}")
        return accepted[0]

    def _changed(self, path: Path, attribute: Attribute, element: Json, changes: Json | None) -> Json | None:
        if not isinstance(changes, Mapping):
            return changes
        merged = accept_element(attribute, overlay(attribute, element, changes), self.dialect, path.text)
        require_kept(attribute, element, merged)
        cleared = any(is_unassigned(item) for item in changes.values())
        return None if merged and cleared and says_nothing(merged) else merged

    def _created(self, path: Path, attribute: Attribute, changes: Json | None) -> Json | None:
        """The element that a filter without a match describes; none for a change that only clears."""
        if path.element_filter is None:
            return accept_element(attribute, changes, self.dialect, path.text)
        only_clears = all(map(is_unassigned, changes.values() if isinstance(changes, Mapping) else [changes]))
        terms = equal_terms(path.element_filter)
        if (terms is None and not only_clears) or not self.dialect.tolerates(Tolerance.CREATE_MISSING_ELEMENT):
            raise NoTarget(f"{path.text}: no value of {attribute.name} matches the filter")
        if only_clears:
            return None
        element = {**(terms or {}), **changes} if isinstance(changes, Mapping) else changes
        return accept_element(attribute, element, self.dialect, path.text)

    def _remove(self, operation: Operation) -> None:
        if operation.path is None:
            raise NoTarget("remove needs a path (RFC 7644 section 3.5.2.2)")
        path = parse_path(operation.path, self.resource_type, self.dialect)
        if isinstance(path.reference, Schema):
            self._remove_extension(path.reference)
            return
        _require_writable(path, path.reference)
        _require_optional(path, path.reference, operation)
        if path.reference.attribute.multi_valued:
            self._remove_values(path, path.reference, operation)
        elif path.sub:
            self._merge_into_value(path, path.reference, {path.sub.name: None})
        else:
            self.draft.set(path.reference, None)

    def _remove_extension(self, schema: Schema) -> None:
        for attribute in schema:
            if attribute.mutability is Mutability.READ_ONLY:
                continue
            reference = AttributeRef(schema.id, attribute)
            if attribute.multi_valued:
                self.draft.values(reference).exchange([])
            else:
                self.draft.set(reference, None)

    def _remove_values(self, path: Path, reference: AttributeRef, operation: Operation) -> None:
        values = self.draft.values(reference)
        if path.is_plain and operation.has_value:
            if not self.dialect.tolerates(Tolerance.REMOVE_WITH_VALUE):
                raise InvalidSyntax(f"{path.text}: remove takes no value; select with a filter in the path")
            values.discard(accept(reference.attribute, operation.value, self.dialect, path.text) or [])
            return
        if path.is_plain:
            values.exchange([])
            return
        places = values.select(condition(path.element_filter), path.effort)
        if not places and path.element_filter and not self.dialect.tolerates(Tolerance.REMOVE_MISSING_ELEMENT):
            raise NoTarget(f"{path.text}: no value of {reference.attribute.name} matches the filter")
        changes = {path.sub.name: None} if path.sub else None
        changed = {place: self._changed(path, reference.attribute, values.values[place], changes) for place in places}
        values.put(changed, primary=False)


def _require_optional(path: Path, reference: AttributeRef, operation: Operation) -> None:
    attribute = path.sub or reference.attribute
    takes_all = path.sub or not (path.element_filter or (reference.is_multi_valued and operation.has_value))
    if reference.path == "schemas" or (attribute.required and takes_all):
        raise errors.Mutability(f"{path.text}: {attribute.name} is required; it can be changed but not removed")


def _require_writable(path: Path, reference: AttributeRef) -> None:
    for attribute in (reference.attribute, path.sub):
        if attribute and attribute.mutability is Mutability.READ_ONLY:
            raise errors.Mutability(f"{path.text}: {attribute.name} is set by the server")
