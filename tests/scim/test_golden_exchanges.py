"""Golden exchanges: what real provisioning clients send, one story a file: ``idp/<client>/<story>.json``.

A story::

    {"about": "...", "source": "...",          why, and where the exchange is documented
     "quirks": [3, 7],                         rows of the table of client quirks that it covers
     "given": [REQUEST, ...],                  sets the stage; each must succeed
     "exchanges": [{"request": REQUEST, "response": RESPONSE, "keep": KEEP, "strict": RESPONSE}, ...]}

    REQUEST   {"method", "path", "headers"?, "body"?, "keep"?}; the path is written as sent, blanks apart
    RESPONSE  {"status": 200 | [200, 204], "headers"?, "body"?, "absent"?}; a body of null means none at all
    KEEP      {"mira": "/id"}: a value of the answer gets a name, from then on ``{mira}`` stands for it

A body matches when every key it names has that value; lists have the same length and order, unless given as
``{"contains": [...]}``. ``{"matches": "..."}`` is a regular expression for the whole text. ``absent`` lists JSON
pointers (RFC 6901, without escapes) to what must not be there. ``{BASE}`` and the URNs below have names from the start.

A story with ``strict`` answers is told a second time by a client for which nothing is tolerated: the stage, then
only the exchanges that say how such a client is answered.
"""

import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask, g, request_finished
from werkzeug.test import TestResponse

from scim_server.scim.dialects import Tolerance
from tests.scim.server import ScimClient, Server

STORIES = Path(__file__).parent / "idp"
NAMES = {
    "User": "urn:ietf:params:scim:schemas:core:2.0:User",
    "Group": "urn:ietf:params:scim:schemas:core:2.0:Group",
    "Enterprise": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "PatchOp": "urn:ietf:params:scim:api:messages:2.0:PatchOp",
    "ListResponse": "urn:ietf:params:scim:api:messages:2.0:ListResponse",
    "Error": "urn:ietf:params:scim:api:messages:2.0:Error",
}
Events = list[MutableMapping[str, Any]]
QUIRKS = range(1, 27)
PERSONAL = r"(?i)fabrikam|schuppe|oduya|plant quality"


def _stories() -> list[str]:
    return sorted(str(path.relative_to(STORIES).with_suffix("")) for path in STORIES.glob("*/*.json"))


def _story(name: str) -> dict[str, Any]:
    story: dict[str, Any] = orjson.loads((STORIES / f"{name}.json").read_bytes())
    return story


def _strict_stories() -> list[str]:
    return [name for name in _stories() if any("strict" in each for each in _story(name)["exchanges"])]


def tell(name: str, client: ScimClient, answers: str = "response") -> None:
    """The story is played: the stage, then every exchange that has such an answer."""
    told = Told(client)
    story = _story(name)
    told.set_the_stage(story)
    for number, exchange in enumerate(story["exchanges"], 1):
        if answers in exchange:
            told.exchange(number, exchange, exchange[answers])


@pytest.mark.parametrize("name", _stories())
def test_the_client_gets_the_answers_it_needs(name: str, scim: ScimClient, logged: Events) -> None:
    tell(name, scim)

    assert not re.search(PERSONAL, str(logged)), "values of users have no place in the log"


@pytest.mark.parametrize("name", _strict_stories())
def test_a_strict_client_is_held_to_the_rfcs(name: str, strict_scim: ScimClient) -> None:
    tell(name, strict_scim, answers="strict")


@pytest.mark.parametrize("tolerance", Tolerance)
def test_each_tolerance_has_a_story_and_a_strict_answer(tolerance: Tolerance) -> None:
    name = tolerance.golden.removesuffix(".json")

    assert name in _strict_stories()


@pytest.mark.parametrize("tolerance", Tolerance)
def test_a_story_named_after_a_tolerance_needs_it(tolerance: Tolerance, server: Server) -> None:
    applied: set[Tolerance] = set()

    def note(_app: Flask, **_details: object) -> None:
        applied.update(g.dialect.applied)

    with request_finished.connected_to(note, server.app):
        tell(tolerance.golden.removesuffix(".json"), server.client())

    assert tolerance in applied


def test_every_known_quirk_has_a_story() -> None:
    told = {quirk for name in _stories() for quirk in _story(name).get("quirks", [])}

    assert told == set(QUIRKS)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (True, 1),
        (1, "1"),
        ("a", "b"),
        ("a", None),
        ([], [1]),
        ([1, 2], [2, 1]),
        ([], None),
        ({"a": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        ({"a": 1}, [1]),
        ({"matches": "b"}, "abc"),
        ({"matches": ".*"}, None),
        ({"contains": [{"a": 1}]}, [{"a": 2}]),
        ({"contains": [1]}, None),
    ],
)
def test_the_reader_of_stories_sees_what_differs(expected: Any, actual: Any) -> None:
    assert list(differences(expected, actual, ""))


class Told:
    """A story on its way: the client that tells it and the values it has named."""

    def __init__(self, client: ScimClient) -> None:
        self.client = client
        self.names = {**NAMES, "BASE": client.base}

    def set_the_stage(self, story: dict[str, Any]) -> None:
        for request in story.get("given", []):
            response = self.send(request)
            assert response.status_code < 300, f"stage: {request} -> {response.text}"
            self.keep(request.get("keep", {}), response)

    def exchange(self, number: int, exchange: dict[str, Any], expected: dict[str, Any]) -> None:
        response = self.send(exchange["request"])
        problems = [*self.problems(expected, response), *manners(response, self.client.base)]
        asked = f"exchange {number}: {exchange['request']['method']} {exchange['request']['path']}"
        assert not problems, "\n".join([asked, *problems, f"answer: {response.status_code} {response.text}"])
        self.keep(exchange.get("keep", {}), response)

    def send(self, request: dict[str, Any]) -> TestResponse:
        request = self.fill(request)
        return self.client.request(
            request["method"], request["path"], request.get("body"), headers=request.get("headers")
        )

    def problems(self, expected: dict[str, Any], response: TestResponse) -> Iterator[str]:
        expected = self.fill(expected)
        allowed = expected["status"] if isinstance(expected["status"], list) else [expected["status"]]
        if response.status_code not in allowed:
            yield f"status {response.status_code} instead of {expected['status']}"
            return
        for header, value in expected.get("headers", {}).items():
            yield from differences(value, response.headers.get(header), header)
        if "body" in expected and expected["body"] is None and response.data:
            yield "a body where none belongs"
        elif expected.get("body") is not None:
            yield from differences(expected["body"], orjson.loads(response.data), "")
        body = orjson.loads(response.data or b"null")
        yield from (f"{pointer}: should be absent" for pointer in expected.get("absent", []) if finds(body, pointer))

    def keep(self, wanted: dict[str, str], response: TestResponse) -> None:
        for name, pointer in wanted.items():
            (self.names[name],) = finds(orjson.loads(response.data), pointer)

    def fill(self, value: Any) -> Any:
        """The value with every name in braces replaced, in keys too."""
        if isinstance(value, str):
            return re.sub(r"\{([A-Za-z]\w*)\}", lambda found: self.names[found[1]], value)
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if isinstance(value, dict):
            return {self.fill(key): self.fill(each) for key, each in value.items()}
        return value


def manners(response: TestResponse, base: str) -> Iterator[str]:
    """What holds for every answer: the media type, the shape of errors, no null, addresses that lead back."""
    if not response.data:
        return
    if response.mimetype != "application/scim+json":
        yield f"media type {response.mimetype}"
    body = orjson.loads(response.data)
    if re.search(rb"[:\[,]null\b", response.data):
        yield "a null in the answer"
    if response.status_code >= 400:
        error = {"schemas": [NAMES["Error"]], "status": str(response.status_code), "detail": {"matches": "(?s).+"}}
        yield from differences(error, body, "")
    for resource in [body, *body.get("Resources", [])]:
        location = resource.get("meta", {}).get("location")
        if location is not None and location.rpartition("/")[2] not in (
            resource.get("id"),
            resource.get("name"),
            "ServiceProviderConfig",
        ):
            yield f"meta.location {location} is not the address of {resource.get('id')}"
    if response.status_code == 201 and response.headers.get("Location") != body["meta"]["location"]:
        yield "the header Location is not meta.location"


def differences(expected: Any, actual: Any, where: str) -> Iterator[str]:
    """How the answer departs from what a story expects, a line each."""
    if isinstance(expected, dict) and expected.keys() == {"matches"}:
        if not isinstance(actual, str) or not re.fullmatch(expected["matches"], actual):
            yield f"{where}: {actual!r} does not match {expected['matches']}"
    elif isinstance(expected, dict) and expected.keys() == {"contains"}:
        for each in expected["contains"]:
            if not any(not list(differences(each, element, where)) for element in actual or []):
                yield f"{where}: nothing like {each!r}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            yield from differences(value, actual.get(key), f"{where}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for position, (wanted, element) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(wanted, element, f"{where}/{position}")
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{where}: {actual!r} instead of {expected!r}"


def finds(body: Any, pointer: str) -> list[Any]:
    """The value a JSON pointer leads to, in a list; an empty list where there is none."""
    for step in pointer.split("/")[1:]:
        if isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        elif isinstance(body, dict) and step in body:
            body = body[step]
        else:
            return []
    return [body]


def test_a_change_and_a_refusal_are_logged_and_a_read_that_went_well_is_not(scim: ScimClient, logged: Events) -> None:
    scim.request("GET", "/Users")
    scim.request("POST", "/Users", {"userName": "logged"})
    scim.request("GET", "/Users/nobody")

    answered = [(event["method"], event["status"]) for event in logged if event["event"] == "request.answered"]
    assert answered == [("POST", 201), ("GET", 404)]
