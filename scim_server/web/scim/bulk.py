"""/Bulk (RFC 7644 section 3.7): operations in an order in which every bulkId can be resolved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from flask import Blueprint, Response
from werkzeug.http import parse_etags

from scim_server.domain.clients import Scope
from scim_server.reconciler.push import Order, Written
from scim_server.scim.bulk import BulkOperation, Kind, Step, plan, resolve
from scim_server.scim.errors import InvalidValue, ScimError
from scim_server.scim.messages import bulk_request, patch_operations
from scim_server.web.scim.exchange import Exchange, exchange
from scim_server.web.scim.responses import text_response

bp = Blueprint("scim-bulk", __name__)

RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


@bp.post("/Bulk")
def run_bulk() -> Response:
    """The outcome of every operation that was tried, in the order of the request."""
    found = exchange(Scope.WRITE)
    limit = found.services.settings.bulk_max_operations
    message = bulk_request(found.body(), found.dialect, max_operations=limit)
    operations = [BulkOperation.of(operation) for operation in message.operations]
    run = _Run(found, len(operations), message.fail_on_errors)
    run.carry_out(plan(operations, found.registry))
    return text_response(orjson.dumps({"schemas": [RESPONSE_URN], "Operations": run.outcomes()}))


class _Run:
    """The state of one bulk request: ids by bulkId, the outcome of each operation, the failures so far."""

    def __init__(self, found: Exchange, number: int, fail_on_errors: int | None) -> None:
        self._found = found
        self._outcomes: list[dict[str, Any] | None] = [None] * number
        self._ids: dict[str, str] = {}
        self._failures_left = fail_on_errors or number + 1

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Run the steps until the client's limit of failures is reached; one failure harms no other operation."""
        for step in steps:
            if self._failures_left == 0:
                return
            try:
                self._outcomes[step.position] = self._run(step)
            except ScimError as error:
                self._failures_left -= 1
                self._outcomes[step.position] = _outcome(step, error.status) | {"response": error.body()}

    def outcomes(self) -> list[dict[str, Any]]:
        """What was tried."""
        return [outcome for outcome in self._outcomes if outcome is not None]

    def _run(self, step: Step) -> dict[str, Any] | None:
        if step.error is not None:
            raise step.error
        operation = resolve(step.operation, self._ids)
        order = self._order(operation)
        push = self._found.services.push
        match step.kind:
            case Kind.CREATE:
                written = push.create(order, operation.data)
                if operation.bulk_id:
                    self._ids[operation.bulk_id] = written.resource.id
                return self._written(step, order, written, 201)
            case Kind.REPLACE:
                return self._written(step, order, push.replace(order, operation.resource_id, operation.data), 200)
            case Kind.DELETE:
                push.delete(order, operation.resource_id)
                return _outcome(step, 204) | {"location": self._location(order, operation.resource_id)}
            case Kind.PATCH | Kind.LINK:
                limit = self._found.services.settings.patch_max_operations
                operations = patch_operations(operation.data, order.dialect, max_operations=limit)
                written = push.patch(order, operation.resource_id, operations)
                status = 201 if step.kind is Kind.LINK else 200
                return self._written(step, order, written, status)

    def _order(self, operation: BulkOperation) -> Order:
        types = {resource_type.endpoint: resource_type for resource_type in self._found.registry.types}
        expected = None
        if operation.version:
            if not isinstance(operation.version, str):
                raise InvalidValue("version must be an entity tag in text form.")
            tags = parse_etags(operation.version).as_set(include_weak=True)
            expected = frozenset(tag.partition(".")[0] for tag in tags)
        return replace(self._found.order(types[operation.endpoint]), expected=expected)

    def _written(self, step: Step, order: Order, written: Written, status: int) -> dict[str, Any]:
        return _outcome(step, status) | {
            "location": self._location(order, written.resource.id),
            "version": f'W/"{written.resource.version}"',
        }

    def _location(self, order: Order, resource_id: str) -> str:
        return f"{self._found.base_url}{order.resource_type.endpoint}/{resource_id}"


def _outcome(step: Step, status: int) -> dict[str, Any]:
    """Method, bulkId and status, as RFC 7644 section 3.7.3 shows them; the status is a string there."""
    method = Kind.CREATE if step.kind is Kind.LINK else step.kind
    outcome: dict[str, Any] = {"method": method.value, "status": str(status)}
    if step.operation.bulk_id:
        outcome["bulkId"] = step.operation.bulk_id
    return outcome
