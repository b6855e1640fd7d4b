"""Settings: read once, all mistakes told together."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scim_server.admin.errors import Refused
from scim_server.settings import InvalidSettings, Settings, variables


def test_every_default_is_valid_and_embedded() -> None:
    settings = Settings.from_environment({})
    assert settings.is_embedded
    assert settings.database.endswith("data/scim.db")
    assert settings.tenant_url == "http://127.0.0.1:8000/scim/v2"


def test_all_problems_are_told_at_once_and_without_values() -> None:
    environ = {
        "SCIM_SERVER_PORT": "eighty",
        "SCIM_SERVER_LOG_LEVEL": "loud",
        "SCIM_SERVER_MAX_DEPTH": "100000",
        "SCIM_SERVER_DATABASE_URL": "mysql://root:hunter2@db/scim",
        "SCIM_SERVER_PUBLIC_URL": "scim.example.com",
        "SCIM_SERVER_SECRET_KEY": "short",
        "SCIM_SERVER_TREADS": "3",
    }
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment(environ)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == sorted(environ)
    assert "hunter2" not in str(caught.value)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////srv/scim.db", "sqlite:////srv/scim.db"),
    ],
)
def test_a_database_url_gets_the_tested_driver(given: str, understood: str) -> None:
    assert Settings.from_environment({"SCIM_SERVER_DATABASE_URL": given}).database == understood


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "oracle://h/d", "postgresql+asyncpg://h/d", "scim.db"]
)
def test_databases_that_would_not_work_are_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="DATABASE_URL"):
        Settings.from_environment({"SCIM_SERVER_DATABASE_URL": url})


def test_several_processes_on_a_file_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="PostgreSQL"):
        Settings.from_environment({"SCIM_SERVER_WORKERS": "2"})
    url = "postgresql://u@h/d"
    assert Settings.from_environment({"SCIM_SERVER_WORKERS": "2", "SCIM_SERVER_DATABASE_URL": url}).workers == 2


def test_a_page_may_not_be_larger_than_the_largest() -> None:
    with pytest.raises(InvalidSettings, match="DEFAULT_PAGE_SIZE"):
        Settings.from_environment({"SCIM_SERVER_MAX_PAGE_SIZE": "50"})


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://u:secret@h/d\n")
    settings = Settings.from_environment({"SCIM_SERVER_DATABASE_URL_FILE": str(file)})
    assert settings.database == "postgresql+psycopg://u:secret@h/d"


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="SECRET_KEY_FILE: the file cannot be read"):
        Settings.from_environment({"SCIM_SERVER_SECRET_KEY_FILE": str(tmp_path / "nothing")})


def test_secrets_do_not_appear_when_settings_are_printed() -> None:
    environ = {"SCIM_SERVER_SECRET_KEY": "k" * 40, "SCIM_SERVER_DATABASE_URL": "postgresql://u:hunter2@h/d"}
    shown = repr(Settings.from_environment(environ))
    assert "hunter2" not in shown
    assert "kkkk" not in shown


def test_the_links_kubernetes_sets_are_not_taken_for_settings() -> None:
    links = {
        "SCIM_SERVER_PORT": "tcp://10.0.0.1:8000",
        "SCIM_SERVER_SERVICE_HOST": "10.0.0.1",
        "SCIM_SERVER_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert Settings.from_environment(links).port == 8000


def test_every_setting_has_a_sentence() -> None:
    assert all(about.endswith(".") for about in variables().values())
    assert len(variables()) > 10


def test_the_key_file_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_keys(), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()[0]) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_an_empty_key_file_stops_the_server(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("\n")
    with pytest.raises(Refused, match="no usable key"):
        Settings(data_dir=tmp_path).secret_keys()


def test_configured_keys_come_before_the_file(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"SCIM_SERVER_SECRET_KEY": f"{'n' * 32} {'o' * 32}", "SCIM_SERVER_DATA_DIR": str(tmp_path)}
    )
    assert settings.secret_keys() == ("n" * 32, "o" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////srv/scim.db", Path("/srv/scim.db")),
        ("sqlite:///here/scim.db?timeout=5", Path("here/scim.db")),
        ("postgresql+psycopg://u@h/d", None),
    ],
)
def test_the_database_file_is_known_where_there_is_one(url: str, file: Path | None) -> None:
    assert Settings(database_url=url).database_file == file
