"""/Users and /Groups (RFC 7644 section 3): each endpoint parses, calls and renders."""

from flask import Blueprint, Response

from scim_server.domain.clients import Scope
from scim_server.reconciler.push import Written
from scim_server.scim.errors import NotFound
from scim_server.scim.messages import patch_operations
from scim_server.scim.registry import ResourceType
from scim_server.store.reads.resources import find_resource
from scim_server.web.scim.exchange import Exchange, exchange
from scim_server.web.scim.listing import answer_list, query_of_arguments
from scim_server.web.scim.rendering import Rendered, Renderer
from scim_server.web.scim.responses import resource_response

bp = Blueprint("scim-resources", __name__)

TYPES = {"Users": "User", "Groups": "Group"}
_ENDPOINT = "/<any(Users, Groups):endpoint>"


@bp.get(_ENDPOINT)
def list_resources(endpoint: str) -> Response:
    """Find resources by filter, sorted and in pages."""
    found = exchange(Scope.READ)
    return answer_list(found, query_of_arguments(found, [TYPES[endpoint]]))


@bp.get(f"{_ENDPOINT}/<resource_id>")
def get_resource(endpoint: str, resource_id: str) -> Response:
    """One resource."""
    found = exchange(Scope.READ)
    return read(found, found.registry.type_named(TYPES[endpoint]), resource_id)


@bp.post(_ENDPOINT)
def create_resource(endpoint: str) -> Response:
    """Create a resource: 201 with the resource."""
    found = exchange(Scope.WRITE)
    resource_type = found.registry.type_named(TYPES[endpoint])
    written = found.services.push.create(found.order(resource_type), found.body())
    return resource_response(rendered(found, written), 201)


@bp.put(f"{_ENDPOINT}/<resource_id>")
def replace_resource(endpoint: str, resource_id: str) -> Response:
    """Replace a resource: 200 with the resource."""
    found = exchange(Scope.WRITE)
    return replace(found, found.registry.type_named(TYPES[endpoint]), resource_id)


@bp.patch(f"{_ENDPOINT}/<resource_id>")
def patch_resource(endpoint: str, resource_id: str) -> Response:
    """Change a resource: 200 with a user; 204 for a group, unless attributes are asked for."""
    found = exchange(Scope.WRITE)
    return patch(found, found.registry.type_named(TYPES[endpoint]), resource_id)


@bp.delete(f"{_ENDPOINT}/<resource_id>")
def delete_resource(endpoint: str, resource_id: str) -> Response:
    """Delete a resource: 204."""
    found = exchange(Scope.WRITE)
    return delete(found, found.registry.type_named(TYPES[endpoint]), resource_id)


def read(found: Exchange, resource_type: ResourceType, resource_id: str) -> Response:
    """The resource of that id; raises NotFound."""
    renderer = renderer_of(found)
    with found.services.database.reading(found.client.tenant_id) as session:
        row = find_resource(session, resource_type.name, resource_id, found.client.source_id)
        if row is None:
            raise NotFound(f"There is no {resource_type.name} with the id {resource_id[:100]}.")
        return resource_response(renderer.one(session, row))


def replace(found: Exchange, resource_type: ResourceType, resource_id: str) -> Response:
    """The resource is what the body says."""
    written = found.services.push.replace(found.order(resource_type), resource_id, found.body())
    return resource_response(rendered(found, written))


def patch(found: Exchange, resource_type: ResourceType, resource_id: str) -> Response:
    """The operations of the body are carried out, all or none."""
    limit = found.services.settings.patch_max_operations
    operations = patch_operations(found.body(), found.dialect, max_operations=limit)
    written = found.services.push.patch(found.order(resource_type), resource_id, operations)
    if resource_type.name == "Group" and not _asks_for_attributes(found):
        return Response(status=204)
    return resource_response(rendered(found, written))


def delete(found: Exchange, resource_type: ResourceType, resource_id: str) -> Response:
    """The resource is gone for this client."""
    found.services.push.delete(found.order(resource_type), resource_id)
    return Response(status=204)


def renderer_of(found: Exchange) -> Renderer:
    """The renderer for what the query string asks to see."""
    arguments = found.arguments
    return Renderer(found.registry, found.base_url, arguments.get("attributes"), arguments.get("excludedAttributes"))


def rendered(found: Exchange, written: Written) -> Rendered:
    """The resource as it is after the write."""
    with found.services.database.reading(found.client.tenant_id) as session:
        return renderer_of(found).one(session, written.resource)


def _asks_for_attributes(found: Exchange) -> bool:
    return "attributes" in found.arguments or "excludedAttributes" in found.arguments
