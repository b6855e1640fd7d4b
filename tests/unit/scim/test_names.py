"""Names as clients write them."""

from dataclasses import replace

import pytest

from scim_server.scim.characteristics import Attribute, Schema
from scim_server.scim.errors import InvalidSyntax
from scim_server.scim.names import fold_keys, qualified, shorten
from tests.unit.scim.json_values import USER

OUTER = Schema("urn:example:Badge", "Badge", "", (Attribute("color"),))
INNER = Schema("urn:example:Badge:2.0", "Badge 2", "", (Attribute("color"),))


@pytest.mark.parametrize("extensions", [(OUTER, INNER), (INNER, OUTER)])
def test_the_longest_urn_that_fits_is_taken(extensions: tuple[Schema, ...]) -> None:
    both = replace(USER, extensions=extensions)
    assert qualified("URN:example:badge:2.0:color", both) == (INNER, ":", "color")
    assert qualified("urn:example:Badge.color.x", both) == (OUTER, ".", "color.x")
    assert qualified("urn:example:Badge", both) == (OUTER, "", "")
    assert qualified(f"{USER.core.id}:userName", both) == (USER.core, ":", "userName")


@pytest.mark.parametrize("name", ["userName", "name.givenName", "urn:example:Badges:color", "urn:other", ""])
def test_a_name_without_a_known_urn_is_not_qualified(name: str) -> None:
    assert qualified(name, replace(USER, extensions=(OUTER,))) is None


def test_keys_are_folded_and_two_cases_of_one_are_refused() -> None:
    assert fold_keys({"userName": 1, "ID": 2}, "") == {"username": 1, "id": 2}
    with pytest.raises(InvalidSyntax, match=r"the body has the key 'Id' twice"):
        fold_keys({"a": 1, "Id": 2, "ID": 3}, "")


def test_a_long_name_is_shortened_for_an_error() -> None:
    assert shorten("a" * 100) == repr("a" * 100)
    assert len(shorten("a" * 1_000_000)) == 105
