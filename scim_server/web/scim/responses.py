"""SCIM answers: media type, entity tag, location, and nothing that a header could be split with."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, request
from werkzeug.http import parse_etags

from scim_server.scim.errors import ScimError
from scim_server.web.scim.rendering import Rendered

MEDIA_TYPE = "application/scim+json"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def text_response(text: str | bytes, status: int = 200) -> Response:
    """JSON text as a SCIM answer."""
    return Response(text, status=status, content_type=MEDIA_TYPE)


def resource_response(rendered: Rendered, status: int = 200) -> Response:
    """One resource with its entity tag; 304 where the client has this version already (RFC 7644 section 3.14)."""
    if request.method in ("GET", "HEAD") and "If-None-Match" in request.headers:
        known = parse_etags(request.headers["If-None-Match"])
        if known.contains_raw(rendered.etag) or known.star_tag:
            return Response(status=304, headers={"ETag": rendered.etag})
    response = text_response(rendered.text, status)
    response.headers["ETag"] = rendered.etag
    if status == 201:
        response.headers["Location"] = rendered.location
    else:
        response.headers["Content-Location"] = rendered.location
    return response


def list_response(
    resources: list[bytes],
    *,
    total: int | None,
    start_index: int | None = None,
    next_cursor: str | None = None,
    previous_cursor: str | None = None,
) -> Response:
    """A ListResponse (RFC 7644 section 3.4.2, RFC 9865 section 2)."""
    head: dict[str, Any] = {"schemas": [LIST_URN]}
    if total is not None:
        head["totalResults"] = total
    if start_index is not None:
        head["startIndex"] = start_index
    head["itemsPerPage"] = len(resources)
    if next_cursor:
        head["nextCursor"] = next_cursor
    if previous_cursor:
        head["previousCursor"] = previous_cursor
    return text_response(b'%b,"Resources":[%b]}' % (orjson.dumps(head)[:-1], b",".join(resources)))


def error_response(error: ScimError, headers: Mapping[str, str] | None = None) -> Response:
    """The error as RFC 7644 section 3.12 wants it."""
    response = text_response(orjson.dumps(error.body()), error.status)
    response.headers.extend(headers or {})
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="scim"'
    return response
