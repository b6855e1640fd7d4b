"""Addresses as people type them into clients."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_REPEATED = re.compile("/{2,}")


class SingleSlashes:
    """Serves ``/scim/v2//Users`` as ``/scim/v2/Users``.

    A Tenant URL typed with a slash at its end makes such requests; a redirect would lose the token in many clients.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with one slash wherever the path has several."""
        if "//" in environ["PATH_INFO"]:
            environ["PATH_INFO"] = _REPEATED.sub("/", environ["PATH_INFO"])
        return self._application(environ, start_response)
