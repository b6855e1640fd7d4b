"""What a filter matches in a document, and how that compares with scim2-models."""

from random import Random
from typing import Any

import pytest
from scim2_models import EnterpriseUser, ScimFilter, User

from scim_server.scim.filters.match import matches, matches_element
from scim_server.scim.filters.parse import parse_filter, parse_value_filter
from scim_server.scim.registry import SchemaRegistry

USER = SchemaRegistry.standard().user
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MIRA: dict[str, Any] = {
    "schemas": [USER.core.id, ENTERPRISE],
    "id": "7d3e",
    "externalId": "Mira",
    "userName": "Mira@Fabrikam.test",
    "active": False,
    "name": {"familyName": "Ödüya", "givenName": "Mira"},
    "emails": [{"value": "mira@fabrikam.test", "type": "work", "primary": True}, {"value": "m@home.test"}],
    ENTERPRISE: {"department": "Quality", "manager": {"value": "Y", "$ref": "../Users/Y"}},
    "meta": {"resourceType": "User", "lastModified": "2026-03-02T09:14:07.123456Z", "location": "../Users/7d3e"},
    "groups": [{"value": "g1", "display": "Plant", "type": "direct"}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "mira@FABRIKAM.test"', True),
        ('externalId eq "mira"', False),
        ('id eq "7D3E"', False),
        ('name.familyName eq "ÖDÜYA"', True),
        ('name.familyName sw "öd"', True),
        ("name pr", True),
        ("title pr", False),
        ("title eq null", True),
        ('title ne "x"', True),
        ('title gt "a"', False),
        ("active pr", True),
        ("active eq false", True),
        ("active ne true", True),
        ('emails.type ne "work"', False),
        ('emails[type ne "work"]', True),
        ('emails[type eq "work"].value ne "mira@fabrikam.test"', False),
        ('emails[type eq "work"].value ne "m@home.test"', True),
        ('emails[type eq "work" and value ew "@home.test"]', False),
        ('emails[type eq "work"] and emails[value ew "@home.test"]', True),
        ('not (emails[type eq "home"])', True),
        ('emails co "HOME"', True),
        ('phoneNumbers ne "1"', True),
        ('manager eq "Y"', True),
        ('manager.$ref eq "https://host.example/scim/v2/Users/Y"', True),
        ('meta.location eq "https://host.example/Users/7d3e"', True),
        ('meta.lastModified ge "2026-03-02T10:14:07.1234560+01:00"', True),
        ('meta.lastModified gt "2026-03-02T09:14:07.123456000Z"', False),
        ('meta.lastModified gt "2026-03-02T09:14:07.123455999Z"', True),
        ('meta.lastModified lt "0001-01-01T00:00:00+14:00"', False),
        ('groups.display eq "plant"', True),
        (f'schemas eq "{ENTERPRISE}"', True),
        ('schemas eq "urn:other"', False),
        ('userName co "%"', False),
        ('emails[primary eq "True"]', True),
    ],
)
def test_a_filter_matches_what_the_document_says(text: str, expected: bool) -> None:
    assert matches(parse_filter(text, USER), MIRA) is expected


def test_one_element_is_tested_alone() -> None:
    emails = USER.find("emails")
    assert emails
    node = parse_value_filter('type eq "WORK" or primary eq true', emails)
    assert [matches_element(node, element) for element in MIRA["emails"]] == [True, False]


VALUES = ("work", "home", "Alpha", "alpha", "alphabet", "É", "é", "50%")


def random_user(random: Random) -> dict[str, Any]:
    user: dict[str, Any] = {"schemas": [USER.core.id], "id": "1", "userName": random.choice(VALUES)}
    for name in ("title", "nickName"):
        if random.random() < 0.6:
            user[name] = random.choice(VALUES)
    if random.random() < 0.7:
        user["active"] = random.random() < 0.5
    if random.random() < 0.7:
        user["name"] = {"familyName": random.choice(VALUES)}
    user["phoneNumbers"] = [
        {"value": random.choice(VALUES), **({"type": random.choice(VALUES[:2])} if random.random() < 0.6 else {})}
        for _ in range(random.randint(1, 3))
    ]
    return user


def random_filter(random: Random, depth: int) -> str:
    if depth and random.random() < 0.6:
        inner = random_filter(random, depth - 1)
        choice = random.choice(("not", "and", "or"))
        return f"not ({inner})" if choice == "not" else f"({inner}) {choice} ({random_filter(random, depth - 1)})"
    path = random.choice(
        ("userName", "title", "nickName", "name.familyName", "phoneNumbers.value", "phoneNumbers.type", "active")
    )
    if path == "active":
        return random.choice(("active eq true", "active ne false", "active pr", "active eq null"))
    operator = random.choice(("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"))
    if operator == "pr":
        return f"{path} pr"
    test = f'{{}} {operator} "{random.choice(VALUES)}"'
    if path.startswith("phoneNumbers") and random.random() < 0.6:
        return f"phoneNumbers[{test.format(path.partition('.')[2])}]"
    return test.format(path)


def test_matching_agrees_with_scim2_models() -> None:
    """Differences, kept out of the generated filters:

    - ``emails[type eq "work"].value ne "x"``: there it compares inside the element, here it is the opposite of ``eq``.
    - ``primary eq "True"``: a text is no boolean there.
    - Folding: there ``str.casefold``, here also composition and compatibility forms (NFKC).
    - A caseExact reference by its absolute URI: there the texts are compared.
    """
    random = Random(3)
    users = [random_user(random) for _ in range(12)]
    models = [User.model_validate(user) for user in users]
    seen = set()
    for _ in range(400):
        text = random_filter(random, 2)
        node, other = parse_filter(text, USER), ScimFilter[User](text)
        for user, model in zip(users, models, strict=True):
            expected = other.match(model)
            seen.add(expected)
            assert matches(node, user) is expected, (text, user)
    assert seen == {True, False}


def test_an_extension_agrees_with_scim2_models() -> None:
    document = {name: value for name, value in MIRA.items() if name not in ("meta", "groups", "emails")}
    model = User[EnterpriseUser].model_validate(document)
    for text in (
        f'{ENTERPRISE}:department eq "quality"',
        f'{ENTERPRISE}:manager.value eq "y"',
        f"{ENTERPRISE}:costCenter pr",
    ):
        assert matches(parse_filter(text, USER), document) is ScimFilter[User[EnterpriseUser]](text).match(model), text
