"""Requests and answers of the emulator, apart from any transport."""

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import orjson

Transfer = Literal["whole", "cut", "hang up"]


@dataclass(frozen=True)
class Request:
    """What a client asked; header names in lower case."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What the client gets; a body can be cut on the way, or the connection be closed before it."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    transfer: Transfer = "whole"

    def json(self) -> Any:
        return orjson.loads(self.body)


def json_answer(status: int, body: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, orjson.dumps(body), {"Content-Type": "application/json", **named})


def graph_error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """An error as Graph spells it."""
    inner = {"date": "2026-01-05T10:17:06", "request-id": "11111111-aaaa-bbbb-cccc-222222222222"}
    body = {"error": {"code": code, "message": message or code, "innerError": inner}}
    return json_answer(status, body, **headers)
