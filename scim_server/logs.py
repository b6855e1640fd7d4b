"""Logging: one line for each event on stderr, JSON for machines or coloured text on a terminal.

Events are named ``noun.verb`` (``user.created``, ``plan.blocked``). Attribute values, tokens and passwords are never
logged; ids and counts are.
"""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor

_NOISY = ("alembic", "huey", "urllib3", "msal", "ldap3")
"""Libraries whose information is for their developers; their warnings are for everybody."""

_IDS: ContextVar[Mapping[str, str]] = ContextVar("ids", default=MappingProxyType({}))
"""One variable for all ids: structlog's own, one for each, take ten times as long to set on every request."""


def set_up(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Send the events of structlog and of the standard library through one formatter to ``stream`` (stderr).

    ``form`` is json, console, or auto (console where the stream is a terminal).
    """
    target = stream or sys.stderr
    to_console = form == "console" or (form == "auto" and target.isatty())
    shared: list[Processor] = [
        _add_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(to_console)],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> FilteringBoundLogger:
    """The logger of a module; it binds when first used, so it may be made before ``set_up``."""
    bound: FilteringBoundLogger = structlog.get_logger(name)
    return bound


def begin(**ids: str) -> None:
    """Add ids (``request``, ``job``, ``tenant``) to every event of this request or job, whoever logs it."""
    _IDS.set(ids)


def _add_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {**_IDS.get(), **event}


def _rendering(to_console: bool) -> list[Processor]:
    if to_console:
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_to_json)]


def _to_json(event: Any, default: Callable[[Any], Any] = str, **_options: Any) -> str:
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
