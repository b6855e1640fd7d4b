"""SCIM answers: media type, entity tag, location, and nothing that a header could be split with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags
from werkzeug.urls import iri_to_uri

from scim_server.scim.errors import ScimError
from scim_server.web.scim.rendering import Rendered

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MEDIA_TYPE = "application/scim+json"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class JsonResponse(Response):
    """An answer with a body, whose headers are sent as they are.

    werkzeug looks through a copy of them for addresses to encode and for a missing length, which takes as long as
    reading a user from the database. Addresses are encoded where they are set, and the length of ready text is known.
    """

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:  # noqa: ARG002 - the signature is werkzeug's
        """The headers."""
        return self.headers


def text_response(text: str | bytes, status: int = 200) -> Response:
    """JSON text as a SCIM answer."""
    return JsonResponse(text, status=status, content_type=MEDIA_TYPE)


def resource_response(rendered: Rendered, status: int = 200) -> Response:
    """One resource with its entity tag; 304 where the client has this version already (RFC 7644 section 3.14)."""
    if request.method in ("GET", "HEAD") and "If-None-Match" in request.headers:
        known = parse_etags(request.headers["If-None-Match"])
        if known.contains_raw(rendered.etag) or known.star_tag:
            return Response(status=304, headers={"ETag": rendered.etag})
    response = text_response(rendered.text, status)
    address = rendered.location if rendered.location.isascii() else iri_to_uri(rendered.location)
    response.headers.add("ETag", rendered.etag)
    response.headers.add("Location" if status == 201 else "Content-Location", address)
    return response


def list_response(
    page: bytes,
    number: int,
    *,
    total: int | None,
    start_index: int | None = None,
    next_cursor: str | None = None,
    previous_cursor: str | None = None,
) -> Response:
    """A ListResponse of ``number`` resources, ``page`` (RFC 7644 section 3.4.2, RFC 9865 section 2)."""
    head: dict[str, Any] = {"schemas": [LIST_URN]}
    if total is not None:
        head["totalResults"] = total
    if start_index is not None:
        head["startIndex"] = start_index
    head["itemsPerPage"] = number
    if next_cursor:
        head["nextCursor"] = next_cursor
    if previous_cursor:
        head["previousCursor"] = previous_cursor
    return text_response(b'%b,"Resources":[%b]}' % (orjson.dumps(head)[:-1], page))


def error_response(error: ScimError, headers: Mapping[str, str] | None = None) -> Response:
    """The error as RFC 7644 section 3.12 wants it."""
    response = text_response(orjson.dumps(error.body()), error.status)
    response.headers.extend(headers or {})
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="scim"'
    return response
