"""Every failure as an answer a client understands: SCIM errors below the SCIM path, plain pages elsewhere."""

from traceback import extract_tb

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from scim_server.logs import logger
from scim_server.scim.errors import ScimError
from scim_server.store.engine import StoreUnavailable
from scim_server.web.scim.exchange import BASE_PATH, services, too_large
from scim_server.web.scim.responses import error_response

log = logger(__name__)

_WORDS = {
    404: "There is nothing at this address. SCIM lives below /Users, /Groups, /Bulk, /Me, /Schemas, "
    "/ResourceTypes and /ServiceProviderConfig.",
    405: "This address does not take the method {method}.",
    415: "Send the body as application/scim+json.",
}


class _HttpError(ScimError):
    """An error of the web framework in SCIM's form."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def register(app: Flask) -> None:
    """No request ends in a trace: known errors say what to do, unknown ones give the id under which they are logged."""
    app.register_error_handler(ScimError, _scim_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(Exception, _unexpected)


def _is_scim() -> bool:
    return request.path == BASE_PATH or request.path.startswith(f"{BASE_PATH}/")


def _scim_error(error: ScimError) -> Response:
    return error_response(error)


def _http_error(error: HTTPException) -> Response | HTTPException:
    if not _is_scim():
        return error
    if isinstance(error, RequestEntityTooLarge):
        return error_response(too_large(services().settings.max_body_bytes))
    status = error.code or 500
    words = _WORDS.get(status, error.description or error.name).format(method=request.method[:20])
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return error_response(_HttpError(status, words), headers)


def _store_unavailable(error: StoreUnavailable) -> Response:
    log.error("store.unavailable", reason=str(error))
    answer = _HttpError(503, "The database does not answer at the moment. Nothing was changed; send the request again.")
    return error_response(answer, {"Retry-After": "5"})


def _unexpected(error: Exception) -> Response:
    note_unexpected(error)
    return error_response(
        _HttpError(500, "The server failed to answer this request. Its log has the cause under the request id.")
    )


def note_unexpected(error: Exception) -> None:
    """The log has the place of the failure; its message may quote values of users, so it is left out."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    log.error("request.failed", kind=type(error).__name__, frames=frames)
