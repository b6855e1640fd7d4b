"""What the server says of itself."""

from collections.abc import Iterator

import pytest
import scim2_models

from scim_server.domain.observations import Json
from scim_server.scim.discovery import Limits, resource_types, schemas, service_provider_config
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.group import GROUP_URN
from scim_server.scim.schemas.user import USER_URN
from tests.unit.scim.json_values import BADGE, REGISTRY

LIMITS = Limits(
    max_operations=1000,
    max_payload_size=1_048_576,
    max_results=200,
    default_page_size=100,
    max_page_size=500,
    cursor_timeout=3600,
)
DOCUMENTS = [service_provider_config(LIMITS), *resource_types(REGISTRY), *schemas(REGISTRY)]


def leaves(value: Json) -> Iterator[Json]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if children is None:
        yield value
    else:
        yield from (leaf for child in children for leaf in leaves(child))


def test_the_configuration_advertises_what_the_server_does() -> None:
    config = service_provider_config(LIMITS, documentation_uri="https://id.test/help")
    assert config["documentationUri"] == "https://id.test/help"
    assert config["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1_048_576}
    assert config["filter"] == {"supported": True, "maxResults": 200}
    supported = {name: config[name]["supported"] for name in ("patch", "changePassword", "sort", "etag")}
    assert supported == {"patch": True, "changePassword": False, "sort": True, "etag": True}
    assert [scheme["type"] for scheme in config["authenticationSchemes"]] == ["oauthbearertoken"]


def test_the_configuration_advertises_both_ways_of_paging() -> None:
    assert service_provider_config(LIMITS)["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 500,
        "cursorTimeout": 3600,
    }


def test_resource_types_name_their_endpoint_schema_and_extensions() -> None:
    user, group = resource_types(REGISTRY)
    assert (user["endpoint"], user["schema"]) == ("/Users", USER_URN)
    assert [extension["schema"] for extension in user["schemaExtensions"]] == [ENTERPRISE_URN, BADGE.id]
    assert (group["endpoint"], group["schema"]) == ("/Groups", GROUP_URN)
    assert "schemaExtensions" not in group


def test_schemas_lists_each_schema_once_with_run_time_extensions() -> None:
    assert [schema["id"] for schema in schemas(REGISTRY)] == [USER_URN, ENTERPRISE_URN, BADGE.id, GROUP_URN]
    shared = SchemaRegistry.standard([BADGE], [BADGE])
    assert [schema["id"] for schema in schemas(shared)].count(BADGE.id) == 1


def test_common_attributes_belong_to_no_schema() -> None:
    names = {attribute["name"] for schema in schemas(REGISTRY) for attribute in schema["attributes"]}
    assert names.isdisjoint({"id", "externalId", "meta", "schemas"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.get("id", "config"))
def test_no_document_holds_a_null_or_an_empty_value(document: Json) -> None:
    assert all(leaf not in (None, "") for leaf in leaves(document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.get("id", "config"))
def test_every_document_is_one_for_another_implementation_too(document: Json) -> None:
    kind = document["meta"]["resourceType"]
    model = getattr(scim2_models, kind).model_validate(document)
    assert model.model_dump()["schemas"] == document["schemas"]
    assert document["meta"]["location"].startswith(f"../{kind}")
