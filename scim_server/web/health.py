"""/healthz, /readyz and /metrics: for load balancers and monitoring."""

from flask import Blueprint, Response, jsonify

from scim_server.web.scim.exchange import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def is_alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def is_ready() -> tuple[Response, int]:
    """The database answers and its tables are those of this version."""
    checks = services().readiness()
    ready = all(checks.values())
    return jsonify(status="ok" if ready else "not ready", checks=checks), 200 if ready else 503


@bp.get("/metrics")
def get_metrics() -> Response:
    """The numbers in Prometheus' text format."""
    return Response(services().metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")
