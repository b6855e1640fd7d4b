"""One SCIM request on its way: who asks, in which dialect, with which limits, and where the server says it lives."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Request, current_app, g, request
from werkzeug.http import parse_etags

from scim_server.domain.clients import Client, Scope
from scim_server.reconciler.push import Order
from scim_server.scim.dialects import Dialect
from scim_server.scim.errors import Forbidden, InvalidValue, PayloadTooLarge, Unauthorized, UnsupportedMediaType
from scim_server.scim.json_text import load
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.services import Services

BASE_PATH = "/scim/v2"
LARGEST = 2**62
"""As far as the database counts; nobody has a page beyond."""
_DIGITS = 30  # int() of a longer text is slow, and the number beyond every page anyway
_JSON_TYPES = ("application/scim+json", "application/json")


def services() -> Services:
    """The services of this application."""
    return current_app.extensions["scim-server"]  # type: ignore[no-any-return]  # Flask's registry is untyped


@dataclass(frozen=True)
class Exchange:
    """The request with its client and the schemas that its tenant serves; made once per request."""

    services: Services
    client: Client
    dialect: Dialect
    registry: SchemaRegistry
    request: Request

    @cached_property
    def arguments(self) -> dict[str, str]:
        """The parameters of the query string, the first of each name."""
        return self.request.args.to_dict() if self.request.query_string else {}

    @property
    def base_url(self) -> str:
        """The address under which this client reaches the SCIM endpoint, without a slash at the end."""
        return base_url()

    def body(self) -> Any:
        """The JSON body; raises UnsupportedMediaType, PayloadTooLarge, InvalidSyntax or InvalidValue."""
        settings = self.services.settings
        if self.request.mimetype and self.request.mimetype not in _JSON_TYPES:
            raise UnsupportedMediaType(f"Send the body as application/scim+json, not as {self.request.mimetype[:100]}.")
        if (self.request.content_length or 0) > settings.max_body_bytes:
            raise too_large(settings.max_body_bytes)
        data = self.request.get_data(cache=False)
        # A chunked body has no length beforehand, and what is too long arrives cut.
        if self.request.content_length is None and len(data) >= settings.max_body_bytes:
            raise too_large(settings.max_body_bytes)
        return load(data, max_depth=settings.max_depth)

    def order(self, resource_type: ResourceType) -> Order:
        """The request in the words of the reconciler."""
        return Order(
            client=self.client,
            resource_type=resource_type,
            dialect=self.dialect,
            request=g.get("request_id"),
            expected=_expected_versions(self.request),
        )


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body above the limit of the settings."""
    return PayloadTooLarge(f"The body is larger than {limit} bytes, the most this server takes.")


def base_url() -> str:
    """The address of the SCIM endpoint as clients see it."""
    public = services().settings.public_url
    return (public or f"{request.scheme}://{request.host}{request.root_path}") + BASE_PATH


def exchange(scope: Scope) -> Exchange:
    """The exchange of the current request; raises Unauthorized or Forbidden."""
    found = optional_exchange()
    if found is None:
        raise Unauthorized("Send the token of a provisioning client: Authorization: Bearer <token>.")
    if not found.client.may(scope):
        raise Forbidden(f"The token {found.client.token_name} has no {scope.value} scope.")
    return found


def optional_exchange() -> Exchange | None:
    """The exchange where the request carries a token, None where it carries none; raises Unauthorized for a bad one."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # a proxy costs more than its object
    header = asked.environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    here = services()
    client = here.tokens.find(token.strip()) if kind.lower() == "bearer" else None
    if client is None:
        raise Unauthorized(
            "The bearer token is unknown, expired or revoked. Create a new one and enter it in the client."
        )
    dialect = Dialect(strict=client.strict)
    told = g._get_current_object()
    told.client, told.dialect = client, dialect
    return Exchange(here, client, dialect, here.registry_of(client.tenant_id), asked)


def _expected_versions(incoming: Request) -> frozenset[str] | None:
    """The versions of If-Match; None where any will do (RFC 7644 section 3.14)."""
    header = incoming.headers.get("If-Match")
    if header is None:
        return None
    etags = parse_etags(header)
    if etags.star_tag:
        return None
    # a user's entity tag may carry a mark of the groups after the version; only the version can be written against
    return frozenset(tag.partition(".")[0] for tag in etags.as_set(include_weak=True))


def whole_number(name: str, text: str | None) -> int | None:
    """A paging parameter within what a database counts; None where absent or empty; raises InvalidValue."""
    if text is None or text == "":
        return None
    try:
        return max(-LARGEST, min(int(text[:_DIGITS]), LARGEST))
    except ValueError:
        raise InvalidValue(f"{name} must be an integer.") from None
