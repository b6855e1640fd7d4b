"""A house that must come out of every bad request as it went in, and what a refusal looks like."""

import time
from typing import Any

import orjson
from werkzeug.test import TestResponse

from tests.scim.server import ScimClient

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

QUICK = 1.0
"""Seconds of processor time that no refusal may take; most take a thousandth."""


class House:
    """A client, a user and a group that must come out of every test as they went in."""

    def __init__(self, client: ScimClient) -> None:
        self.client = client
        self.user = self._made("/Users", {"schemas": [USER], "userName": "mira@fabrikam.test", "displayName": "Mira"})
        self.group = self._made(
            "/Groups", {"schemas": [GROUP], "displayName": "Plant Quality", "members": [{"value": self.user}]}
        )

    def _made(self, path: str, body: dict[str, Any]) -> str:
        answer = self.client.request("POST", path, body)
        assert answer.status_code == 201, answer.text
        made: str = orjson.loads(answer.data)["id"]
        return made

    def everything(self) -> list[Any]:
        """All resources as they are read."""
        answers = [self.client.request("GET", path) for path in ("/Users?count=1000", "/Groups?count=1000")]
        assert [answer.status_code for answer in answers] == [200, 200]
        return [orjson.loads(answer.data) for answer in answers]

    def refuses(
        self, method: str, path: str, json: Any = None, *, status: int | None = None, **sent: Any
    ) -> dict[str, Any]:
        """The error with which a request is refused: SCIM's form and media type, and no time lost."""
        started = time.process_time()
        answer = self.client.request(method, path, json, **sent)
        spent = time.process_time() - started
        assert spent < QUICK
        return refusal(answer, status)


def refusal(answer: TestResponse, status: int | None = None) -> dict[str, Any]:
    """The SCIM error of a 4xx answer (RFC 7644 section 3.12)."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text[:500]}"
    assert status is None or answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.mimetype == "application/scim+json"
    error: dict[str, Any] = orjson.loads(answer.data)
    assert error["schemas"] == [ERROR]
    assert error["status"] == str(answer.status_code)
    assert error["detail"]
    assert len(answer.data) < 2000, "an error does not send the input back"
    return error


def patch(operations: list[Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": operations}


def brief(value: object) -> str:
    """A short name for a case."""
    return str(value).replace(ENTERPRISE, "Enterprise").encode("unicode_escape").decode()[:60]
