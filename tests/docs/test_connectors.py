"""What docs/connectors.md says of settings and mappings is so."""

import json
import re
from pathlib import Path

import pytest

from connectors.active_directory.mapping import DEFAULT_MAPPING
from connectors.expression_syntax import parse_expression
from connectors.mapping import parse_mapping
from connectors.registry import find_connector, kinds
from scim_server.admin.policies import POLICY_SETTINGS, check_policy
from scim_server.domain.policies import SourcePolicy, parse_policy

ROOT = Path(__file__).parents[2]
CONNECTORS = (ROOT / "docs" / "connectors.md").read_text()
ADMINISTRATION = (ROOT / "docs" / "administration.md").read_text()


@pytest.mark.parametrize("kind", kinds())
def test_every_setting_of_a_connector_has_its_line(kind: str) -> None:
    for setting in find_connector(kind).settings:
        default = "required" if setting.required else f"`{setting.default}`" if setting.default else ""
        assert f"| `{setting.name}` | {default} | {setting.help} |".replace("|  |", "| |") in CONNECTORS


def test_every_policy_has_its_line_and_the_default_it_says() -> None:
    told = dict(re.findall(r"^\| `([a-z_]+)` \| (?:`([^`]*)`)? ?\| ", ADMINISTRATION, re.MULTILINE))
    assert told.keys() >= POLICY_SETTINGS.keys()
    assert parse_policy({name: told[name] for name in POLICY_SETTINGS if told[name]}) == SourcePolicy()
    for name in POLICY_SETTINGS:
        if told[name]:
            check_policy({name: told[name]})


def test_the_mapping_that_is_shown_can_be_used() -> None:
    [spelled] = re.findall(r"```json\n(.*?)```", CONNECTORS, re.DOTALL)
    assert parse_mapping(json.loads(spelled), DEFAULT_MAPPING).fingerprint


def test_every_expression_that_is_shown_can_be_used() -> None:
    rows = re.findall(r"^\| (`[\"{].*`) \| \w", CONNECTORS, re.MULTILINE)
    assert len(rows) == 10
    for shown in (expression for row in rows for expression in re.findall(r"`([^`]+)`", row)):
        assert parse_expression(json.loads(shown.replace("...", '"mail"')), "shown")
