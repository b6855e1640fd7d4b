"""Every setting of the server, read once from the environment (``SCIM_SERVER_<NAME>``)."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range

from scim_server.admin.secrets import keys_from_file

PREFIX = "SCIM_SERVER_"

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "json", "console")


class InvalidSettings(Exception):
    """The environment holds values the server cannot run with; ``problems`` names every one of them in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _database_url(text: str) -> str:
    """The URL with the driver the server is tested with; raises ValidationError for other databases."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return f"postgresql+psycopg://{rest}"
    if separator and scheme in ("sqlite", "sqlite+pysqlite") and rest.strip("/") not in ("", ":memory:"):
        return f"sqlite://{rest}"
    raise ValidationError("must be postgresql://user@host/name or sqlite:///path/of/a/file")


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValidationError("must be the address clients use, such as https://scim.example.com")
    return text.rstrip("/")


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(text.split())
    if any(len(key) < 32 for key in keys):
        raise ValidationError("every key must have at least 32 characters")
    return keys


def _read(kind: str, about: str, check: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """How a field is read: its environs parser, one sentence for people, and what its value must be."""
    return {"kind": kind, "about": about, "check": check}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server was told; every default is safe on a machine of one's own."""

    data_dir: Path = field(
        default=Path("data"), metadata=_read("path", "Folder of the SQLite database, the job queue and the key file.")
    )
    database_url: str = field(
        default="",
        repr=False,
        metadata=_read("database_url", "PostgreSQL or SQLite; empty means the file scim.db in DATA_DIR."),
    )
    host: str = field(default="127.0.0.1", metadata=_read("str", "Address to listen on."))
    port: int = field(default=8000, metadata=_read("int", "Port to listen on.", Range(1, 65535)))
    public_url: str = field(
        default="",
        metadata=_read(
            "public_url", "Address clients use, without /scim/v2; empty means the one each request came to."
        ),
    )
    secret_key: tuple[str, ...] = field(
        default=(),
        repr=False,
        metadata=_read(
            "secret_keys",
            "Key that seals the passwords of sources and signs sessions; several separated by spaces, the newest "
            "first. Empty means the file secret.key in DATA_DIR, made at the first start.",
        ),
    )
    max_body_bytes: int = field(
        default=2_097_152, metadata=_read("int", "Longest request body, in bytes.", Range(16_384, 268_435_456))
    )
    max_depth: int = field(default=32, metadata=_read("int", "Deepest nesting of a request body.", Range(8, 200)))
    max_page_size: int = field(
        default=1000, metadata=_read("int", "Most resources in one list answer.", Range(1, 10_000))
    )
    default_page_size: int = field(
        default=100, metadata=_read("int", "Resources in a list answer when count is absent.", Range(1, 10_000))
    )
    bulk_max_operations: int = field(
        default=1000, metadata=_read("int", "Most operations in one bulk request.", Range(1, 100_000))
    )
    patch_max_operations: int = field(
        default=10_000, metadata=_read("int", "Most operations in one PATCH request.", Range(1, 1_000_000))
    )
    cursor_timeout: int = field(
        default=3600, metadata=_read("int", "Seconds for which a paging cursor stays valid.", Range(10, 604_800))
    )
    trusted_proxies: int = field(
        default=0, metadata=_read("int", "Reverse proxies in front whose X-Forwarded headers count.", Range(0, 10))
    )
    workers: int = field(
        default=1, metadata=_read("int", "Server processes; more than one needs PostgreSQL.", Range(1, 256))
    )
    threads: int = field(
        default=4, metadata=_read("int", "Threads that answer requests in each process.", Range(1, 256))
    )
    log_level: str = field(default="info", metadata=_read("str", "debug, info, warning or error.", OneOf(LOG_LEVELS)))
    log_format: str = field(
        default="auto",
        metadata=_read("str", "json, console, or auto: console on a terminal, JSON elsewhere.", OneOf(LOG_FORMATS)),
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of an environment. Any value may come from a file named by ``SCIM_SERVER_<NAME>_FILE``.

        Raises InvalidSettings with all problems at once.
        """
        environ = _without_service_links(environ)
        env = _Environment(environ)
        values = {
            each.name: getattr(env, each.metadata["kind"])(
                each.name.upper(),
                each.default,
                **({"validate": each.metadata["check"]} if each.metadata["check"] else {}),
            )
            for each in fields(cls)
        }
        problems = env.problems() + _unknown(environ)
        if not problems:
            settings = cls(**values)
            problems = settings._contradictions()
            if not problems:
                return settings
        raise InvalidSettings(problems)

    @property
    def database(self) -> str:
        """The URL of the database, as SQLAlchemy understands it."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'scim.db'}"

    def secret_keys(self) -> tuple[str, ...]:
        """The secret keys, the newest first: the configured ones, or those of the key file in ``data_dir``.

        The file is made where it is missing. Raises Refused where it holds no usable key.
        """
        return self.secret_key or keys_from_file(self.data_dir / "secret.key")

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.database.startswith("sqlite:")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None for PostgreSQL."""
        if not self.is_embedded:
            return None
        return Path(self.database.partition(":///")[2].partition("?")[0])

    @property
    def address(self) -> str:
        """The address to show to people, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def tenant_url(self) -> str:
        """What an administrator enters in Entra ID as the Tenant URL."""
        return f"{self.address}/scim/v2"

    def _contradictions(self) -> list[str]:
        problems = []
        if self.default_page_size > self.max_page_size:
            problems.append(f"{PREFIX}DEFAULT_PAGE_SIZE: may not be larger than {PREFIX}MAX_PAGE_SIZE")
        if self.workers > 1 and self.is_embedded:
            problems.append(f"{PREFIX}WORKERS: more than one process needs PostgreSQL ({PREFIX}DATABASE_URL)")
        return problems


def variables() -> dict[str, str]:
    """The name of every environment variable and what it means."""
    return {PREFIX + each.name.upper(): each.metadata["about"] for each in fields(Settings)}


# Read by the command line alone; here so that a misspelt name is found.
OTHER_VARIABLES = (PREFIX + "SOURCE_PASSWORD",)


_SERVICE_LINK = re.compile(PREFIX + r"(SERVICE_|PORT_\d)")


def _without_service_links(environ: Mapping[str, str]) -> dict[str, str]:
    """Kubernetes puts SCIM_SERVER_PORT=tcp://... and the like into every pod beside a service named scim-server."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX)
        and not _SERVICE_LINK.match(name)
        and not (name == PREFIX + "PORT" and value.startswith("tcp://"))
    }


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """A misspelt name would otherwise mean a default that nobody wanted."""
    known = {*variables(), *OTHER_VARIABLES}
    return [f"{name}: there is no such setting" for name in sorted(environ) if name.removesuffix("_FILE") not in known]


class _Environment(Env):
    """environs over any mapping, with the parsers of this server; collects every problem."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False, prefix=PREFIX)
        self._mapping = environ
        self.add_parser("database_url", _unless_empty(_database_url, ""))
        self.add_parser("public_url", _unless_empty(_public_url, ""))
        self.add_parser("secret_keys", _unless_empty(_secret_keys, ()))

    def _get_value(self, env_key: str, default: Any) -> Any:
        file = self._mapping.get(f"{env_key}_FILE")
        if file is None:
            return self._mapping.get(env_key, default)
        try:
            return Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError):
            self._errors[f"{env_key}_FILE"].append("the file cannot be read")
            return default

    def problems(self) -> list[str]:
        """What is wrong, a line each: the variable and the reason; never its value."""
        try:
            self.seal()
        except EnvValidationError as error:
            reasons: dict[str, list[str]] = dict(error.error_messages)  # type: ignore[arg-type]  # seal() gives a mapping
            return [f"{name}: {' '.join(reasons[name])}" for name in sorted(reasons)]
        return []


def _unless_empty(parse: Callable[[str], Any], empty: Any) -> Callable[[Any], Any]:
    return lambda value: parse(value) if value else empty
