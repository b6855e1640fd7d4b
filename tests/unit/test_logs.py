"""Logs and metrics: one line for each event, ids everywhere, nothing personal in the way."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from scim_server import logs
from scim_server.metrics import Metrics


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.set_up("info", "json", stream)
    yield stream
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_events_of_the_server_and_of_libraries_carry_the_request_id(stream: io.StringIO) -> None:
    logs.begin(request="r-1")
    logs.logger("scim_server.x").info("user.created", id="7")
    logging.getLogger("some.library").warning("slow %s", "query")
    first, second = map(orjson.loads, stream.getvalue().splitlines())
    assert (first["event"], first["id"], first["request"], first["level"]) == ("user.created", "7", "r-1", "info")
    assert (second["event"], second["request"], second["logger"]) == ("slow query", "r-1", "some.library")
    assert first["time"].endswith("Z")


def test_an_id_does_not_outlive_its_request(stream: io.StringIO) -> None:
    logs.begin(request="r-1")
    logs.begin(job="j-1")
    logs.logger("x").info("job.started")
    event = orjson.loads(stream.getvalue())
    assert event["job"] == "j-1"
    assert "request" not in event


def test_a_failure_is_one_line_with_its_trace(stream: io.StringIO) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logs.logger("x").exception("job.failed")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert "KeyError" in orjson.loads(lines[0])["exception"]


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    logs.logger("x").debug("detail")
    logging.getLogger("alembic.runtime").info("noise")
    assert stream.getvalue() == ""


def test_a_line_break_in_a_value_does_not_make_a_second_line(stream: io.StringIO) -> None:
    logs.logger("x").info("source.read", reason='one\n{"event": "forged"}')
    assert len(stream.getvalue().splitlines()) == 1


def test_console_lines_are_for_people(stream: io.StringIO) -> None:
    console = io.StringIO()
    logs.set_up("info", "console", console)
    logs.logger("fresh").info("user.created")
    assert "user.created" in console.getvalue()
    assert not console.getvalue().startswith("{")


def test_requests_duplicates_and_changes_are_counted() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.observe_request("GET", "/Users", 200, 0.02)
    metrics.observe_request("GET", "/Users", 404, 0.02)
    metrics.count_duplicate("email", "push")
    metrics.count_change("User", "created", "push", 3)
    lines = metrics.render().decode().splitlines()
    assert 'scim_request_seconds_count{method="GET",route="/Users",status="200"} 2.0' in lines
    assert 'scim_request_seconds_count{method="GET",route="/Users",status="404"} 1.0' in lines
    assert 'scim_duplicates_total{channel="push",kind="email"} 1.0' in lines
    assert 'scim_changes_total{action="created",channel="push",type="User"} 3.0' in lines
