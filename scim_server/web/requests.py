"""What happens around every request: an id, a line in the log, a measurement, security headers."""

import time
from uuid import uuid4

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars

from scim_server.logs import begin, logger
from scim_server.web.scim.exchange import services

log = logger(__name__)


def register(app: Flask) -> None:
    """Every request has an id (answered as ``X-Request-Id``), is measured, and is logged without personal values."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = uuid4().hex
    begin(request=g.request_id)


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "none"
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "client" in g:
        response.headers["Cache-Control"] = "no-store"
        bind_contextvars(tenant=g.client.tenant_name, client=g.client.token_name)
    services().metrics.observe_request(request.method, route, response.status_code, seconds)
    tolerances = [str(each) for each in g.dialect.applied] if "dialect" in g else []
    log.info(
        "request.answered",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 2),
        **({"tolerances": tolerances} if tolerances else {}),
    )
    return response
