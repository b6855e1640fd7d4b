"""What happens around every request: an id, a line in the log, a measurement, security headers."""

import time
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from flask import Flask, Response, g, request

from scim_server.logs import begin, logger
from scim_server.metrics import Metrics

log = logger(__name__)


def register(app: Flask) -> None:
    """Every request has an id (answered as ``X-Request-Id``), is measured, and is logged without personal values."""
    metrics: Metrics = app.extensions["scim-server"].metrics

    def end(response: Response) -> Response:
        _end(response, metrics)
        return response

    app.before_request(_begin)
    app.after_request(end)


def _begin() -> None:
    told = g._get_current_object()  # a proxy costs more than what it leads to
    told.started = time.perf_counter()
    told.request_id = token_hex(16)
    begin(request=told.request_id)


def _end(response: Response, metrics: Metrics) -> None:
    asked = request._get_current_object()  # type: ignore[attr-defined]  # as above
    told = vars(g._get_current_object())
    seconds = time.perf_counter() - told.get("started", time.perf_counter())
    route = asked.url_rule.rule if asked.url_rule else "none"
    headers = response.headers
    headers.add("X-Request-Id", told.get("request_id", ""))
    headers.add("X-Content-Type-Options", "nosniff")
    if "client" in told:
        headers.add("Cache-Control", "no-store")
    metrics.observe_request(asked.method, route, response.status_code, seconds)
    # Reads that went well would be most of the log and tell nothing; the metrics count them.
    if response.status_code >= 400 or asked.method not in ("GET", "HEAD"):
        _log(asked.method, route, response.status_code, seconds, told)


def _log(method: str, route: str, status: int, seconds: float, told: Mapping[str, Any]) -> None:
    event = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 2)}
    if client := told.get("client"):
        event |= {"tenant": client.tenant_name, "client": client.token_name}
    if "dialect" in told and told["dialect"].applied:
        event["tolerances"] = [str(each) for each in told["dialect"].applied]
    log.info("request.answered", **event)
