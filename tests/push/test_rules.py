"""Changing what must be unique while people are there."""

import pytest

from scim_server.admin.errors import Refused
from tests.push.installation import Installation
from tests.push.invariants import violations


def test_addresses_of_everybody_are_claimed_when_they_become_unique(installation: Installation) -> None:
    installation.set_rules(email_unique="false")
    client = installation.client()
    client.create(userName="mira", emails=[{"value": "mira@example.com"}])
    installation.set_rules(email_unique="true")

    client.send("POST", "/Users", {"userName": "other", "emails": [{"value": "MIRA@example.com"}]}, status=409)
    assert violations(installation.database, installation.tenant) == []


def test_a_rule_is_refused_while_two_people_break_it_and_nothing_changes(installation: Installation) -> None:
    installation.set_rules(email_unique="false")
    client = installation.client()
    for name in ("mira", "tove"):
        client.create(userName=name, emails=[{"value": "shared@example.com"}])

    with pytest.raises(Refused, match=r"held twice.*shared@example\.com"):
        installation.set_rules(email_unique="true")

    client.create(userName="a third", emails=[{"value": "shared@example.com"}])


def test_names_of_groups_are_free_again_when_they_need_not_be_unique(installation: Installation) -> None:
    client = installation.client()
    client.send("POST", "/Groups", {"displayName": "Plant"}, status=201)
    installation.set_rules(group_name_unique="false")

    client.send("POST", "/Groups", {"displayName": "plant"}, status=201)

    with pytest.raises(Refused, match=r"(?i)plant"):
        installation.set_rules(group_name_unique="true")
