"""A plain page that says what runs here and how to connect Entra ID."""

from flask import Blueprint, Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as BaseResponse

from scim_server.web.scim.exchange import base_url

bp = Blueprint("landing", __name__, template_folder="templates")

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@bp.get("/")
def go_to_console() -> BaseResponse:
    """People who open the address in a browser land on the console."""
    return redirect("/console", code=303)


@bp.get("/console")
def show_landing() -> Response:
    """What runs here, the Tenant URL, and the steps in the Entra admin center."""
    response = make_response(render_template("landing.html", tenant_url=base_url()))
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
