"""Graph's properties become the attributes, anchors and flags of an observation."""

import base64
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.entra.mapping import DEFAULT_MAPPING, UserMapping, anchors_of, is_guest
from connectors.mapping import ENTERPRISE_URN, parse_mapping
from scim_server.domain.observations import Observation

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANN: dict[str, Any] = {
    "id": "8c1d7a52-6a0e-4d4c-9f0e-0d1a3f5b7c9e",
    "userPrincipalName": "ann@example.com",
    "accountEnabled": True,
    "givenName": "Ann",
    "surname": "Archer",
    "displayName": "Ann Archer",
    "jobTitle": "Engineer",
    "mail": "ann.archer@example.com",
    "proxyAddresses": ["SMTP:ann.archer@example.com", "smtp:a.archer@example.com", "SIP:ann@example.com"],
    "businessPhones": ["+1 425 555 0109"],
    "mobilePhone": "+1 425 555 0110",
    "department": "Research",
    "employeeId": "4711",
    "createdDateTime": "2024-02-29T10:11:12Z",
}


def observe(entry: dict[str, Any], mapping: dict[str, Any] | None = None, *, whole: bool = False) -> Observation:
    return UserMapping(parse_mapping(mapping or {}, DEFAULT_MAPPING)).observe(entry, read_at=NOW, whole=whole)


def test_a_person_with_every_property_maps_to_the_documented_attributes() -> None:
    observation = observe(ANN)
    assert observation.attributes == {
        "userName": "ann@example.com",
        "name": {"givenName": "Ann", "familyName": "Archer"},
        "displayName": "Ann Archer",
        "title": "Engineer",
        "emails": [
            {"value": "ann.archer@example.com", "type": "work", "primary": True},
            {"value": "a.archer@example.com", "type": "other"},
        ],
        "phoneNumbers": [
            {"value": "+1 425 555 0109", "type": "work"},
            {"value": "+1 425 555 0110", "type": "mobile"},
        ],
        ENTERPRISE_URN: {"department": "Research", "employeeNumber": "4711"},
    }
    assert observation.enabled is True
    assert observation.created_at == datetime(2024, 2, 29, 10, 11, 12, tzinfo=UTC)


def test_without_mail_the_primary_proxy_address_is_the_work_address() -> None:
    entry = {**ANN, "mail": None}
    assert observe(entry).attributes["emails"][0] == {
        "value": "ann.archer@example.com",
        "type": "work",
        "primary": True,
    }


def test_a_property_left_out_says_nothing_and_null_says_no_value() -> None:
    told = {"id": ANN["id"], "userPrincipalName": "ann@example.com", "accountEnabled": False, "jobTitle": None}
    observation = observe(told)
    assert observation.attributes == {"userName": "ann@example.com", "title": None}
    assert observation.enabled is False


def test_a_property_never_set_does_not_hide_its_sibling_in_the_same_attribute() -> None:
    told = {name: value for name, value in ANN.items() if name not in ("mobilePhone", "proxyAddresses")}
    attributes = observe(told).attributes
    assert attributes["phoneNumbers"] == [{"value": "+1 425 555 0109", "type": "work"}]
    assert attributes["emails"] == [{"value": "ann.archer@example.com", "type": "work", "primary": True}]


def test_in_a_whole_entry_a_property_left_out_has_no_value() -> None:
    told = {name: value for name, value in ANN.items() if name != "jobTitle"}
    assert observe(told, whole=True).attributes["title"] is None


def test_a_nested_property_is_mapped_by_its_path_and_selected_by_its_first_part() -> None:
    mapping = {f"{ENTERPRISE_URN}:costCenter": "onPremisesExtensionAttributes.extensionAttribute1"}
    made = UserMapping(parse_mapping(mapping, DEFAULT_MAPPING))
    assert "onPremisesExtensionAttributes" in made.properties
    entry = {**ANN, "onPremisesExtensionAttributes": {"extensionAttribute1": "CC-7", "extensionAttribute2": None}}
    assert made.observe(entry, read_at=NOW).attributes[ENTERPRISE_URN]["costCenter"] == "CC-7"


def test_a_user_of_whom_only_the_id_may_be_read_is_a_problem_and_overwrites_nothing() -> None:
    observation = observe({**dict.fromkeys(ANN), "id": ANN["id"]})
    assert observation.attributes == {}
    assert "may not read" in observation.problem


def test_equal_content_has_an_equal_hash_and_other_content_another() -> None:
    assert observe(ANN).raw_hash == observe({**ANN, "createdDateTime": None}).raw_hash
    hashes = {observe({**ANN, name: "other"}).raw_hash for name in ("mail", "jobTitle", "department")}
    assert len(hashes | {observe(ANN).raw_hash, observe({**ANN, "accountEnabled": False}).raw_hash}) == 5


@given(st.uuids())
def test_the_anchor_of_a_synchronized_user_is_the_guid_in_the_byte_order_of_ad(guid: uuid.UUID) -> None:
    entry = {
        "id": "x",
        "onPremisesSyncEnabled": True,
        "onPremisesImmutableId": base64.b64encode(guid.bytes_le).decode(),
    }
    assert anchors_of(entry)["ad_guid"] == str(guid)


def test_an_anchor_known_from_practice_decodes_as_ad_shows_it() -> None:
    entry = {"id": "x", "onPremisesSyncEnabled": True, "onPremisesImmutableId": "MzIRAFVEd2aImaq7zN3u/w=="}
    assert anchors_of(entry)["ad_guid"] == "00113233-4455-6677-8899-aabbccddeeff"


@pytest.mark.parametrize("synced", [False, None])
def test_an_anchor_counts_only_while_the_user_is_synchronized(synced: bool | None) -> None:
    entry = {"id": "x", "onPremisesSyncEnabled": synced, "onPremisesImmutableId": "MzIRAFVEd2aImaq7zN3u/w=="}
    assert anchors_of(entry) == {"entra_id": "x"}


@pytest.mark.parametrize("anchor", ["4711", "ann@example.com", "AAAA", "", None, "MzIRAFVEd2aImaq7zN3u/w"])
def test_a_custom_source_anchor_is_no_guid(anchor: str | None) -> None:
    assert "ad_guid" not in anchors_of({"id": "x", "onPremisesSyncEnabled": True, "onPremisesImmutableId": anchor})


def test_the_on_premises_security_identifier_is_an_anchor() -> None:
    assert anchors_of({"id": "x", "onPremisesSecurityIdentifier": "S-1-5-21-1"})["sid"] == "S-1-5-21-1"


@pytest.mark.parametrize(("kind", "guest"), [("Guest", True), ("guest", True), ("Member", False), (None, False)])
def test_only_the_user_type_guest_makes_a_guest(kind: str | None, guest: bool) -> None:
    assert is_guest({"userType": kind}) is guest
