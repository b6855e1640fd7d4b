"""Access tokens by client credentials (OAuth 2.0, RFC 6749 section 4.4), with a secret or a certificate.

msal keeps the tokens and signs the assertions. It is given an HTTP client of ours, because its own has no time limits,
prefers REQUESTS_CA_BUNDLE to the CA file it was given, and gives up at the first 503; and no instance discovery, which
would ask login.microsoftonline.com about a host that is not there.
"""

import base64
import binascii
import logging
import threading
from collections.abc import Mapping
from typing import Any

import msal
import orjson

from connectors.entra.connection import Answer, Connection
from connectors.entra.errors import EntraFailed, SignInFailed, sign_in_failed


class Tokens:
    """The access token for Graph, asked for when needed and kept while it is good.

    ``authority`` is the tenant's URL at the sign-in service, ``scope`` the Graph root with ``/.default``,
    ``credential`` the secret or msal's certificate dictionary. Usable from several threads.
    """

    def __init__(
        self,
        *,
        authority: str,
        client_id: str,
        credential: str | Mapping[str, str],
        scope: str,
        connection: Connection,
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._credential = credential
        self._scope = scope
        self._transport = _Transport(connection)
        self._lock = threading.Lock()  # msal asks once for every waiting thread otherwise
        self._application: Any = None
        # msal writes whole answers of a failed sign-in into its log
        logging.getLogger("msal").setLevel(logging.CRITICAL)

    def current(self) -> str:
        """A token that is good for some minutes; raises SignInFailed or Unavailable."""
        with self._lock:
            return self._acquire()

    def renewed(self) -> str:
        """A new token, for when Graph did not accept the current one."""
        with self._lock:
            self._sign_in().remove_tokens_for_client()
            return self._acquire()

    def _acquire(self) -> str:
        application = self._sign_in()
        try:
            answer = application.acquire_token_for_client([self._scope])
        except (ValueError, msal.exceptions.MsalError) as error:
            raise SignInFailed(
                "The sign-in service gave an answer that cannot be used.", "Check the cloud and any proxy in between."
            ) from error
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise sign_in_failed(answer)
        return token

    def _sign_in(self) -> Any:
        if self._application is None:
            try:
                self._application = msal.ConfidentialClientApplication(
                    self._client_id,
                    authority=self._authority,
                    client_credential=self._credential,
                    http_client=self._transport,
                    instance_discovery=False,
                )
            except ValueError as error:
                # msal hides the answer of a refused discovery
                if self._transport.refusal:
                    raise sign_in_failed(self._transport.refusal) from error
                raise EntraFailed(
                    "The sign-in service is not what the settings say.", "Check the authority."
                ) from error
        return self._application


class _Transport:
    """The HTTP client that msal asks for: ``get``, ``post``, ``close``; keeps the last refusal."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.refusal: Mapping[str, Any] = {}

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Answer:
        return self._kept(self._connection.send("GET", url, params=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Answer:
        return self._kept(self._connection.send("POST", url, params=params, data=data, headers=headers))

    def close(self) -> None:
        self._connection.close()

    def _kept(self, answer: Answer) -> Answer:
        self.refusal = answer.body if answer.status_code >= 400 else {}
        return answer


def roles_of(token: str) -> frozenset[str] | None:
    """The application permissions a token carries, None if it does not show them.

    For a diagnosis only: the token belongs to Graph, and its form may change.
    """
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset(claims.get("roles", ()))
    except (IndexError, AttributeError, TypeError, binascii.Error, orjson.JSONDecodeError):
        return None
