"""The discovery documents (RFC 7643 sections 5 to 7, RFC 7644 section 4), made from the tables the server works by."""

from dataclasses import dataclass

from scim_server.domain.observations import Json
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.scim.schemas.document import to_document

CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"


@dataclass(frozen=True)
class Limits:
    """What the server advertises and keeps; sizes in bytes, ``cursor_timeout`` in seconds."""

    max_operations: int
    max_payload_size: int
    max_results: int
    default_page_size: int
    max_page_size: int
    cursor_timeout: int


def service_provider_config(limits: Limits, *, documentation_uri: str | None = None) -> dict[str, Json]:
    """The capabilities of the server (RFC 7643 section 5), with the paging of RFC 9865."""
    return {
        "schemas": [CONFIG_URN],
        **({"documentationUri": documentation_uri} if documentation_uri else {}),
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": limits.max_operations,
            "maxPayloadSize": limits.max_payload_size,
        },
        "filter": {"supported": True, "maxResults": limits.max_results},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page_size,
            "maxPageSize": limits.max_page_size,
            "cursorTimeout": limits.cursor_timeout,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A bearer token in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "../ServiceProviderConfig"},
    }


def resource_types(registry: SchemaRegistry) -> list[dict[str, Json]]:
    """The resource types with their extensions (RFC 7643 section 6)."""
    return [_resource_type(resource_type) for resource_type in registry.types]


def schemas(registry: SchemaRegistry) -> list[dict[str, Json]]:
    """Every schema once; the common attributes belong to none (RFC 7643 section 3.1)."""
    return [to_document(schema) for schema in registry.schemas]


def _resource_type(resource_type: ResourceType) -> dict[str, Json]:
    extensions = [{"schema": schema.id, "required": False} for schema in resource_type.extensions]
    return {
        "schemas": [RESOURCE_TYPE_URN],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.core.id,
        **({"schemaExtensions": extensions} if extensions else {}),
        "meta": {"resourceType": "ResourceType", "location": f"../ResourceTypes/{resource_type.name}"},
    }
