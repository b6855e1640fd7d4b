"""Requests of a demonstration: each is sent, timed and judged by what the client needs to find in the answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import requests

ABSENT: Final = object()
"""Stands for a value that must not be there; ``...`` stands for any that must."""

_SECONDS = 60  # provisioning clients give up after about as long


class Unplayable(Exception):
    """The cycle cannot go on: nobody answers, or a resource that later requests need was not made."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request, its answer, and what the client would miss in it."""

    about: str
    method: str
    path: str
    body: Mapping[str, Any] | None
    status: int
    answer: Any
    milliseconds: float
    complaints: tuple[str, ...] = ()

    def value(self, path: str) -> Any:
        """The value in the answer; raises Unplayable where there is none."""
        found = find(self.answer, path)
        if found is ABSENT:
            raise Unplayable(f"the answer to {self.method} {self.path} has no {path}, so the cycle cannot go on")
        return found


class Wire:
    """The way to a server; redirects are not followed, as most clients lose their token on the way."""

    def __init__(self, base: str, token: str, headers: Mapping[str, str]) -> None:
        self.base = base.rstrip("/")
        self._http = requests.Session()
        self._http.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/scim+json", **headers})

    def close(self) -> None:
        """No connection stays open."""
        self._http.close()

    def ask(
        self,
        about: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        needs: Mapping[str, Any] | None = None,
    ) -> Step:
        """The request, its answer and its faults; ``needs`` gives the value at each path. Raises Unplayable."""
        data = None if body is None else orjson.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/scim+json"}
        started = time.perf_counter()
        try:
            answer = self._http.request(
                method, self.base + path, data=data, headers=headers, timeout=_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise Unplayable(f"{self.base} does not answer ({type(error).__name__})") from error
        spent = (time.perf_counter() - started) * 1000
        shown, complaints = _read(answer)
        if answer.status_code != status:
            complaints.append(f"status {answer.status_code} where {status} is needed")
        else:
            complaints += _missing(shown, needs or {})
        return Step(about, method, path, body, answer.status_code, shown, round(spent, 1), tuple(complaints))


def _read(answer: requests.Response) -> tuple[Any, list[str]]:
    """The body and what is wrong with its form."""
    if not answer.content:
        return None, []
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    complaints = [] if media_type == "application/scim+json" else [f"media type {media_type or 'missing'}"]
    try:
        return orjson.loads(answer.content), complaints
    except orjson.JSONDecodeError:
        return answer.text[:500], [*complaints, "the body is not JSON"]


def _missing(answer: Any, needs: Mapping[str, Any]) -> list[str]:
    """What is needed and not found, a line each."""
    complaints = []
    for path, wanted in needs.items():
        found = find(answer, path)
        if wanted is ABSENT and found is not ABSENT:
            complaints.append(f"{path} is sent although it is unset")
        elif wanted is not ABSENT and found is ABSENT:
            complaints.append(f"{path} is missing")
        elif wanted is not ... and found != wanted:
            complaints.append(f"{path} is {found!r} instead of {wanted!r}")
    return complaints


def find(answer: Any, path: str) -> Any:
    """The value at the end of the steps, or ``ABSENT``."""
    for step in path.split("/"):
        if isinstance(answer, list) and step.isdecimal() and int(step) < len(answer):
            answer = answer[int(step)]
        elif isinstance(answer, dict) and step in answer:
            answer = answer[step]
        else:
            return ABSENT
    return answer
