"""SCIM errors: one class for each scimType (RFC 7644 section 3.12, RFC 9865 section 2.3) and for each bare status."""

from typing import Any

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """An answer other than success; ``detail`` is read by an administrator in the client's log."""

    status: int = 500
    scim_type: str | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def body(self) -> dict[str, Any]:
        """The error as the JSON object of RFC 7644 section 3.12; ``status`` is a string there."""
        body: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(self.status), "detail": self.detail}
        if self.scim_type:
            body["scimType"] = self.scim_type
        return body


class BadRequest(ScimError):
    """400 without a scimType."""

    status = 400


class InvalidFilter(BadRequest):
    """The filter does not parse, or names an attribute that does not exist."""

    scim_type = "invalidFilter"


class TooMany(BadRequest):
    """The answer would be larger than the server is willing to compute."""

    scim_type = "tooMany"


class InvalidSyntax(BadRequest):
    """The body is not the JSON message that the request needs."""

    scim_type = "invalidSyntax"


class InvalidPath(BadRequest):
    """The path of a PATCH operation is malformed or names an unknown attribute."""

    scim_type = "invalidPath"


class NoTarget(BadRequest):
    """The path of a PATCH operation selects nothing to operate on."""

    scim_type = "noTarget"


class InvalidValue(BadRequest):
    """A required value is missing, or a value does not fit the attribute's type."""

    scim_type = "invalidValue"


class Mutability(BadRequest):
    """The change touches an attribute that may not be changed."""

    scim_type = "mutability"


class InvalidVersion(BadRequest):
    """The SCIM protocol version is not supported."""

    scim_type = "invalidVers"


class InvalidCursor(BadRequest):
    """The cursor is not one of ours, or belongs to another query (RFC 9865)."""

    scim_type = "invalidCursor"


class ExpiredCursor(BadRequest):
    """The cursor is too old (RFC 9865)."""

    scim_type = "expiredCursor"


class InvalidCount(BadRequest):
    """The count differs from what the cursor allows (RFC 9865)."""

    scim_type = "invalidCount"


class Sensitive(ScimError):
    """The request would put personal values into a URI."""

    status, scim_type = 403, "sensitive"


class Uniqueness(ScimError):
    """A value that must be unique is held by another resource."""

    status, scim_type = 409, "uniqueness"


class Conflict(ScimError):
    """409 without a scimType: a bulkId that cannot be resolved, a concurrent change."""

    status = 409


class Unauthorized(ScimError):
    """No token, or not one of ours."""

    status = 401


class Forbidden(ScimError):
    """The token is good but may not do this."""

    status = 403


class NotFound(ScimError):
    """The resource does not exist, or not for this client."""

    status = 404


class PreconditionFailed(ScimError):
    """If-Match names another version (RFC 7644 section 3.14)."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body is larger, or has more operations, than the service provider configuration advertises."""

    status = 413


class UnsupportedMediaType(ScimError):
    """The body is not JSON."""

    status = 415


class NotImplementedHere(ScimError):
    """The request is valid SCIM but this service does not offer it."""

    status = 501
