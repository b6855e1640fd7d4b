"""/ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7644 section 4), readable without a token."""

from typing import Any

import orjson
from flask import Blueprint, Response, request

from scim_server.scim import discovery
from scim_server.scim.errors import Forbidden, NotFound
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.representation import absolute
from scim_server.web.scim.exchange import base_url, optional_exchange, services
from scim_server.web.scim.responses import list_response, text_response

bp = Blueprint("scim-discovery", __name__)


@bp.get("/ServiceProviderConfig")
def get_service_provider_config() -> Response:
    """What this server offers."""
    _registry()
    settings = services().settings
    limits = discovery.Limits(
        max_operations=settings.bulk_max_operations,
        max_payload_size=settings.max_body_bytes,
        max_results=settings.max_page_size,
        max_page_size=settings.max_page_size,
        default_page_size=settings.default_page_size,
        cursor_timeout=settings.cursor_timeout,
    )
    return text_response(_absolute(discovery.service_provider_config(limits)))


@bp.get("/ResourceTypes")
def list_resource_types() -> Response:
    """Every resource type."""
    return _list(discovery.resource_types(_registry()))


@bp.get("/ResourceTypes/<name>")
def get_resource_type(name: str) -> Response:
    """One resource type."""
    return _one(discovery.resource_types(_registry()), name, "resource type")


@bp.get("/Schemas")
def list_schemas() -> Response:
    """Every schema, those added at run time included."""
    return _list(discovery.schemas(_registry()))


@bp.get("/Schemas/<urn>")
def get_schema(urn: str) -> Response:
    """One schema."""
    return _one(discovery.schemas(_registry()), urn, "schema")


def _registry() -> SchemaRegistry:
    """The registry of the client's tenant, the standard one for a reader without a token.

    Raises Forbidden for a filter: a client must not believe that it was applied (RFC 7644 section 4).
    """
    if "filter" in request.args:
        raise Forbidden("Discovery endpoints cannot be filtered (RFC 7644 section 4).")
    found = optional_exchange()
    return found.registry if found else SchemaRegistry.standard()


def _list(documents: list[dict[str, Any]]) -> Response:
    page = b",".join(map(_absolute, documents))
    return list_response(page, len(documents), total=len(documents), start_index=1)


def _one(documents: list[dict[str, Any]], wanted: str, what: str) -> Response:
    for document in documents:
        if document.get("id", document.get("name", "")).lower() == wanted.lower():
            return text_response(_absolute(document))
    raise NotFound(f"There is no {what} {wanted[:200]}.")


def _absolute(document: dict[str, Any]) -> bytes:
    return absolute(orjson.dumps(document), base_url().encode())
