"""The order of a bulk request (RFC 7644 section 3.7): resources are created before anything refers to them.

Where resources refer to each other in a ring (section 3.7.1), one is created without its references and gets them by
a PATCH as soon as the others exist, so a ring of any length succeeds.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import heappop, heappush
from typing import Self

from scim_server.domain.observations import Json
from scim_server.scim.errors import Conflict, InvalidSyntax, InvalidValue, NotFound, ScimError
from scim_server.scim.names import shorten
from scim_server.scim.registry import ResourceType, SchemaRegistry

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PREFIX = "bulkId:"


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation of a bulk request, as it was sent."""

    method: str
    path: str
    bulk_id: str | None = None
    data: Json = None
    version: str | None = None

    @classmethod
    def of(cls, message: Mapping[str, Json]) -> Self:
        """The operation of the keys ``method``, ``path``, ``bulkId``, ``data`` and ``version``."""
        return cls(
            message["method"], message["path"], message.get("bulkId"), message.get("data"), message.get("version")
        )

    @property
    def endpoint(self) -> str:
        """``/Users`` of ``/Users/<id>``."""
        return "/" + self.path.strip("/").partition("/")[0]

    @property
    def resource_id(self) -> str:
        """The id in the path, or ``bulkId:<name>``, or empty."""
        return self.path.strip("/").partition("/")[2]


class Kind(StrEnum):
    """What a step does."""

    CREATE = "POST"
    REPLACE = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    LINK = "link"
    """A PATCH that gives a created resource the references its create had to leave out."""


_METHODS = frozenset({Kind.CREATE, Kind.REPLACE, Kind.PATCH, Kind.DELETE})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; references are still there by bulkId, see ``resolve``.

    ``position`` is the place of its operation in the request, where its result belongs; a link has the position of
    its create and matters there only if it fails. A step with ``error`` is not to be run but reported.
    """

    position: int
    kind: Kind
    operation: BulkOperation
    error: ScimError | None = None


def plan(operations: Sequence[BulkOperation], registry: SchemaRegistry) -> list[Step]:
    """The steps in an order in which every reference can be resolved, else that of the request.

    Operations on the same resource keep their order. Every operation has one step; a ring comes after all that does
    not wait for it, and the create that opens it has a link besides.
    """
    return _Planner(operations, registry).steps()


def resolve(operation: BulkOperation, ids: Mapping[str, str]) -> BulkOperation:
    """The operation with the id of the created resource in place of each bulkId.

    ``ids`` has an id for each bulkId created so far. Raises Conflict when one is missing, since its create failed.
    """
    endpoint, resource_id = operation.endpoint, operation.resource_id
    path = f"{endpoint}/{_resolved(resource_id, ids)}" if resource_id.startswith(PREFIX) else operation.path
    return replace(operation, path=path, data=_resolved(operation.data, ids))


def references(value: Json) -> set[str]:
    """The bulkIds that a JSON value refers to: texts ``bulkId:<name>`` at any depth."""
    if isinstance(value, str):
        return {value[len(PREFIX) :]} if value.startswith(PREFIX) else set()
    if isinstance(value, Mapping):
        value = list(value.values())
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def _resolved(value: Json, ids: Mapping[str, str]) -> Json:
    if isinstance(value, str) and value.startswith(PREFIX):
        name = value[len(PREFIX) :]
        if name not in ids:
            raise Conflict(f"bulkId {shorten(name)}: the resource it stands for was not created")
        return ids[name]
    if isinstance(value, Mapping):
        return {key: _resolved(item, ids) for key, item in value.items()}
    return [_resolved(item, ids) for item in value] if isinstance(value, list) else value


_Event = tuple[str, str | int]
"""What a step may wait for: ("created", bulkId), ("linked", bulkId) or ("done", position)."""


@dataclass(slots=True)
class _Pending:
    """A step that waits for events."""

    step: Step
    missing: set[_Event] = field(default_factory=set)


class _Planner:
    def __init__(self, operations: Sequence[BulkOperation], registry: SchemaRegistry) -> None:
        self._types = {resource_type.endpoint: resource_type for resource_type in registry.types}
        self._creators: dict[str, int] = {}
        for position, operation in enumerate(operations):
            if operation.method == Kind.CREATE and operation.bulk_id:
                self._creators.setdefault(operation.bulk_id, position)
        self._ready: list[tuple[int, int, Step]] = []
        self._waiting: dict[_Event, list[_Pending]] = defaultdict(list)
        self._creates: dict[int, _Pending] = {}
        self._happened: set[_Event] = set()
        self._latest: dict[str, int] = {}
        self._links: dict[int, Step] = {}
        self._steps: list[Step] = []
        for position, operation in enumerate(operations):
            self._submit(position, operation)

    def steps(self) -> list[Step]:
        while self._ready or self._creates:
            if not self._ready:
                self._break_ring()
            self._take(heappop(self._ready)[2])
        return self._steps

    def _submit(self, position: int, operation: BulkOperation) -> None:
        error = self._fault(position, operation)
        if error is not None:
            kind = Kind(operation.method) if operation.method in _METHODS else Kind.PATCH
            self._await(Step(position, kind, operation, error), set())
            return
        events: set[_Event] = {("created", name) for name in references(operation.data)}
        events |= {("linked", name) for name in references(operation.resource_id)}
        if operation.resource_id:
            target = f"{operation.endpoint}/{operation.resource_id}"
            if target in self._latest:
                events.add(("done", self._latest[target]))
            self._latest[target] = position
        self._await(Step(position, Kind(operation.method), operation), events)

    def _fault(self, position: int, operation: BulkOperation) -> ScimError | None:
        method, bulk_id, resource_id = operation.method, operation.bulk_id, operation.resource_id
        if method not in _METHODS:
            return InvalidSyntax(f"method {shorten(method)}: it must be POST, PUT, PATCH or DELETE")
        if operation.endpoint not in self._types:
            return NotFound(f"path {shorten(operation.path)}: there is no such endpoint")
        if (method == Kind.CREATE) == bool(resource_id) or "/" in resource_id:
            wanted = "an endpoint such as /Users" if method == Kind.CREATE else "a resource such as /Users/<id>"
            return InvalidValue(f"path {shorten(operation.path)}: {method} needs {wanted}")
        if method == Kind.CREATE and not bulk_id:
            return InvalidValue("POST needs a bulkId (RFC 7644 section 3.7)")
        if method == Kind.CREATE and bulk_id and self._creators[bulk_id] != position:
            return InvalidValue(f"bulkId {shorten(bulk_id)} is used by an earlier operation")
        if method != Kind.DELETE and not isinstance(operation.data, Mapping):
            return InvalidSyntax(f"{method} needs data, a JSON object")
        for name in sorted(references(operation.data) | references(resource_id)):
            if name not in self._creators:
                return InvalidValue(f"bulkId {shorten(name)}: no POST of this request has it")
        return None

    def _await(self, step: Step, events: set[_Event]) -> None:
        pending = _Pending(step, events - self._happened)
        if not pending.missing:
            self._release(step)
            return
        for event in pending.missing:
            self._waiting[event].append(pending)
        if step.kind is Kind.CREATE:
            self._creates[step.position] = pending

    def _take(self, step: Step) -> None:
        self._steps.append(step)
        bulk_id = step.operation.bulk_id
        if step.kind is Kind.LINK and bulk_id:
            self._announce(("linked", bulk_id))
        elif step.kind is not Kind.CREATE:
            self._announce(("done", step.position))
        elif bulk_id and self._creators[bulk_id] == step.position:
            self._announce(("created", bulk_id))
            if link := self._links.pop(step.position, None):
                self._await(link, {("created", name) for name in references(link.operation.data)})
            else:
                self._announce(("linked", bulk_id))

    def _announce(self, event: _Event) -> None:
        self._happened.add(event)
        for pending in self._waiting.pop(event, ()):
            if event in pending.missing:
                pending.missing.discard(event)
                if not pending.missing:
                    self._release(pending.step)

    def _release(self, step: Step) -> None:
        self._creates.pop(step.position, None)
        heappush(self._ready, (step.position, step.kind is Kind.LINK, step))

    def _break_ring(self) -> None:
        """One create of a ring goes ahead without the references that are missing; they follow in a link."""
        pending = self._creates[self._position_in_ring()]
        step, operation = pending.step, pending.step.operation
        missing = {str(name) for _, name in pending.missing}
        kept, changes = _without(operation.data, missing, self._types[operation.endpoint])
        pending.missing.clear()
        message = {
            "schemas": [PATCH_URN],
            "Operations": [{"op": "add", "path": path, "value": value} for path, value in changes],
        }
        target = f"{operation.endpoint}/{PREFIX}{operation.bulk_id}"
        self._links[step.position] = Step(
            step.position, Kind.LINK, BulkOperation("PATCH", target, operation.bulk_id, message)
        )
        self._release(replace(step, operation=replace(operation, data=kept)))

    def _position_in_ring(self) -> int:
        """A create that waits, through others, for itself: when nothing is ready, every wait leads into a ring."""
        position = next(iter(self._creates))
        passed: set[int] = set()
        while position not in passed:
            passed.add(position)
            position = min(self._creators[str(name)] for _, name in self._creates[position].missing)
        return position


def _without(
    data: Mapping[str, Json], missing: set[str], resource_type: ResourceType
) -> tuple[dict[str, Json], list[tuple[str, Json]]]:
    """The resource without what refers to a missing bulkId, and that as paths with the values to add there.

    Of a list only the elements that refer to one are left out, of an extension only such attributes.
    """
    kept: dict[str, Json] = {}
    changes: list[tuple[str, Json]] = []
    for key, value in data.items():
        if not references(value) & missing:
            kept[key] = value
        elif isinstance(value, list):
            changes.append((key, [element for element in value if references(element) & missing]))
            kept[key] = [element for element in value if not references(element) & missing]
        elif isinstance(value, Mapping) and key.lower() in resource_type.extensions_by_urn:
            kept[key], inner = _without(value, missing, resource_type)
            changes.extend((f"{key}:{path}", item) for path, item in inner)
        else:
            changes.append((key, value))
    return kept, changes
