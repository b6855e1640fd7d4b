"""POST /.search, at the root and per type, and GET at the root (RFC 7644 sections 3.4.2.1 and 3.4.3)."""

from flask import Blueprint, Response

from scim_server.domain.clients import Scope
from scim_server.scim.messages import search_request
from scim_server.web.scim.exchange import exchange
from scim_server.web.scim.listing import answer_list, query_of_arguments, query_of_message
from scim_server.web.scim.resources import TYPES

bp = Blueprint("scim-search", __name__)

_EVERY_TYPE = tuple(TYPES.values())


@bp.get("/")
def list_everything() -> Response:
    """Users and groups together."""
    found = exchange(Scope.READ)
    return answer_list(found, query_of_arguments(found, _EVERY_TYPE))


@bp.post("/.search")
def search_everything() -> Response:
    """Users and groups together, the query in the body."""
    found = exchange(Scope.READ)
    return answer_list(found, query_of_message(search_request(found.body(), found.dialect), _EVERY_TYPE))


@bp.post("/<any(Users, Groups):endpoint>/.search")
def search_type(endpoint: str) -> Response:
    """One type, the query in the body: names stay out of URLs and their logs."""
    found = exchange(Scope.READ)
    return answer_list(found, query_of_message(search_request(found.body(), found.dialect), [TYPES[endpoint]]))
