"""What the documents say is so: every setting, command and exit code appears, and marked blocks run."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from scim_server.cli.output import Exit
from scim_server.domain.clients import PushSettings, TenantSettings
from scim_server.settings import OTHER_VARIABLES, Settings, variables
from scim_server.store.migration import upgrade
from tests.cli.conftest import every_command
from tests.cli.test_serve import Server

ROOT = Path(__file__).parents[2]
ADMINISTRATION = (ROOT / "docs" / "administration.md").read_text()
PAGES = ["README.md", "docs/administration.md", "docs/operations.md"]
RUNNABLE = re.compile(r"<!-- runnable -->\n```sh\n(.*?)```", re.DOTALL)


def test_every_setting_has_its_line_with_the_default_and_the_words_of_the_code() -> None:
    defaults = {f"SCIM_SERVER_{each.name.upper()}": each.default for each in fields(Settings)}
    expected = {
        f"| `{name}` | {f'`{defaults[name]}`' if defaults[name] not in ('', ()) else ''} | {about} |".replace(
            "|  |", "| |"
        )
        for name, about in variables().items()
    }
    lines = {line for line in ADMINISTRATION.splitlines() if line.startswith("| `SCIM_SERVER_")}
    assert lines == expected


def test_every_other_variable_is_named() -> None:
    assert all(f"`{name}`" in ADMINISTRATION for name in OTHER_VARIABLES)


def test_every_command_has_its_line_and_no_line_names_another() -> None:
    described = re.findall(r"^\| `(scim-server [a-z -]+)` \|", ADMINISTRATION, re.MULTILINE)
    assert sorted(described) == sorted(" ".join(("scim-server", *path)) for path in every_command())


def test_every_exit_code_is_explained() -> None:
    assert re.findall(r"^\| (\d) \|", ADMINISTRATION, re.MULTILINE) == [str(int(code)) for code in Exit]


@pytest.mark.parametrize("options", [TenantSettings, PushSettings])
def test_every_option_of_tenants_and_sources_has_its_line(options: type[TenantSettings | PushSettings]) -> None:
    for each in fields(options):
        assert f"| `{each.name}` | `{str(each.default).lower()}` |" in ADMINISTRATION


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    missing = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_mentioned_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    mentioned = {
        target
        for words in re.findall(r"(?:^|`)make ((?:[a-z]+ ?)+)(?:`|$)", (ROOT / page).read_text(), re.MULTILINE)
        for target in words.split()
    }
    assert mentioned <= targets


def run_blocks(page: str, folder: Path, **environ: str) -> str:
    """What the runnable blocks of a page print, run one after the other in a folder; none of them may fail."""
    script = "\n".join(RUNNABLE.findall((ROOT / page).read_text()))
    assert script
    if "SCIM_SERVER_PORT" in environ:
        script = script.replace("127.0.0.1:8000", f"127.0.0.1:{environ['SCIM_SERVER_PORT']}")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_SERVER_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**inherited, "PATH": path, "SCIM_SERVER_DATA_DIR": str(folder), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_readme_says_to_try_works(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.get("/readyz").status_code == 200
        token = re.findall(r"scim_\S{43}", server.lines(2))[0]
        out = run_blocks("README.md", tmp_path, TOKEN=token, SCIM_SERVER_PORT=str(server.port))
    assert "mira@example.com" in out
    assert "username" in out


def test_the_examples_of_the_administration_page_work(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'scim.db'}")
    out = run_blocks("docs/administration.md", tmp_path)
    assert "Revoked 'Entra ID 2027'" in out
    assert "on_deleted                      deactivate" in out
    assert "Added urn:example:scim:schemas:extension:Badge:1.0:User to User: badgeNumber." in out
