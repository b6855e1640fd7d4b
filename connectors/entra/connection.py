"""HTTPS to Microsoft's endpoints: verified certificates, time limits on everything, patience with a busy service.

Every answer of these endpoints is a JSON object. Whatever else arrives (a proxy's page, a body that was cut, an empty
200) is no answer: it is asked for again and never taken for "no data".
"""

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import stamina
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from connectors.entra.errors import EntraFailed, Unavailable

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504, 509})
_LONGEST_PAUSE = 600.0  # seconds; a longer Retry-After ends the run, the next one starts from the same cursor
_LARGEST_BODY = 256 * 1024 * 1024  # bytes; a delta page of 200 users is well under one megabyte
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long (seconds) a request is repeated, and the limits of a single try."""

    attempts: int = 8
    total: float = 900.0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    jitter: float = 1.0
    connect: float = 10.0
    silence: float = 60.0
    transfer: float = 180.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer whose body is a JSON object; msal reads the first three as its own response type."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()


class BearerToken(AuthBase):
    """Sends the token, and keeps ``requests`` from sending what it finds in a .netrc file instead."""

    def __init__(self, token: str = "") -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Connection:
    """Sends requests until a usable answer arrives or patience ends (Unavailable).

    ``ca_file`` holds the certificates to trust instead of the public ones, for a proxy that inspects TLS.
    """

    def __init__(self, *, ca_file: str = "", patience: Patience | None = None, adapter: BaseAdapter | None = None):
        self._verify: str | bool = ca_file or True
        self._patience = patience or Patience()
        self._session = requests.Session()
        # at DEBUG it writes every URL, and these hold names and delta tokens
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        if adapter is not None:
            self._session.mount("https://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str = "",
    ) -> Answer:
        """The answer, whatever its status below 500; raises Unavailable, or EntraFailed where repeating is useless."""
        attempts = stamina.retry_context(
            on=_pause_before_retry,
            attempts=self._patience.attempts,
            timeout=self._patience.total,
            wait_initial=self._patience.first_pause,
            wait_max=self._patience.longest_pause,
            wait_jitter=self._patience.jitter,
        )
        for attempt in attempts:
            with attempt, _in_words(url):
                return self._send_once(method, url, params, data, headers, token)
        raise AssertionError("stamina yields at least one attempt")

    def close(self) -> None:
        """Idle connections are gone; the next request opens a new one."""
        self._session.close()

    def _send_once(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        data: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        token: str,
    ) -> Answer:
        # verify goes with the request: requests prefers REQUESTS_CA_BUNDLE to the setting of a session
        response = self._session.request(
            method,
            url,
            params=params,
            data=data,
            headers=headers,
            auth=BearerToken(token),
            verify=self._verify,
            timeout=(self._patience.connect, self._patience.silence),
            allow_redirects=False,
            stream=True,
        )
        with response:
            content = _complete_body(response, self._patience.transfer)
        if response.status_code in _TRANSIENT:
            self.close()  # the next try goes to another front end
            raise Unavailable(
                f"{_host(url)} answered {response.status_code} {_reason(response)}.",
                "The service is busy or disturbed; the next run tries again.",
                retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC)),
            )
        return Answer(response.status_code, response.headers, content, _json_object(content, response, url))


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The pause that a Retry-After header asks for: seconds, also fractional, or a date (RFC 9110 section 10.2.3)."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header).astimezone(UTC) - now).total_seconds()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds == seconds else None  # "nan" is a float too


def _pause_before_retry(error: Exception) -> bool | float:
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= _LONGEST_PAUSE else False


@contextmanager
def _in_words(url: str) -> Iterator[None]:
    """What requests raises becomes a failure in words."""
    try:
        yield
    except requests.RequestException as error:
        raise _failure(error, _host(url)) from error
    except OSError as error:  # requests checks the CA file itself
        raise EntraFailed("The file named in ca_file cannot be read.", "Check the path and its rights.") from error


def _failure(error: requests.RequestException, host: str) -> EntraFailed:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return EntraFailed(
            f"The certificate of {host} could not be verified.",
            "If a proxy inspects TLS here, name its CA certificate in ca_file; otherwise do not go on.",
        )
    what = "did not answer in time" if isinstance(error, requests.Timeout) else "could not be reached or hung up"
    return Unavailable(f"{host} {what}.", "Check DNS, the firewall and the proxy of this server.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        cause = queue.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            yield cause
            # urllib3 keeps the reason in an attribute or an argument, not always in the chain
            queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _complete_body(response: requests.Response, seconds: float, clock: Callable[[], float] = time.monotonic) -> bytes:
    """The whole body; a peer that drips bytes or never ends is given up (the time limit of requests is per read)."""
    deadline = clock() + seconds
    parts = []
    size = 0
    for part in response.iter_content(_CHUNK):
        parts.append(part)
        size += len(part)
        if clock() > deadline or size > _LARGEST_BODY:
            raise Unavailable(f"{_host(response.url)} did not finish its answer in time.")
    return b"".join(parts)


def _json_object(content: bytes, response: requests.Response, url: str) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict):
        return body
    raise Unavailable(
        f"{_host(url)} answered {response.status_code} with something that is not complete JSON.",
        "Most likely a proxy or firewall answered instead: allow this server to reach the host directly.",
    )


def _reason(response: requests.Response) -> str:
    return "Too Many Requests (throttled)" if response.status_code == 429 else response.reason or ""


def _host(url: str) -> str:
    return urlsplit(url).netloc or "The service"
