"""``scim-server demo``: a client's whole cycle against a server that answers over HTTP, well or badly."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import click
import orjson
import pytest
from structlog.testing import capture_logs
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from scim_server.cli.context import Context
from scim_server.cli.demo import demo
from scim_server.factory import create_app
from scim_server.services import Services
from scim_server.settings import Settings


class Stage:
    """A server over HTTP and the command that plays against it."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self.context = Context(settings)
        self.context.tenants.ensure_default()
        self.app = create_app(settings)
        self._capsys = capsys

    @property
    def services(self) -> Services:
        found: Services = self.app.extensions["scim-server"]
        return found

    def close(self) -> None:
        self.context.close()
        self.services.database.close()

    @contextmanager
    def open(self, app: WSGIApplication) -> Iterator[str]:
        """The Tenant URL of the application, as long as it is served."""
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}/scim/v2"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def token(self) -> str:
        """A token of the push source."""
        return self.context.tokens.create(self.context.tenant_id("default"), "entra-push", "test")[1]

    def play(self, url: str, *arguments: str) -> tuple[int, str]:
        """The exit code and what was printed."""
        code = demo.main(
            ["entra", "--url", url, "--token", self.token(), *arguments], obj=self.context, standalone_mode=False
        )
        return code, self._capsys.readouterr().out

    def left(self) -> list[int]:
        """How many users and groups there are."""
        client = self.app.test_client()
        headers = {"Authorization": f"Bearer {self.token()}"}
        answers = [client.get(f"/scim/v2/{kind}", headers=headers).data for kind in ("Users", "Groups")]
        return [orjson.loads(answer)["totalResults"] for answer in answers]


@pytest.fixture
def stage(sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Stage]:
    stage = Stage(Settings(database_url=sqlite_url, data_dir=tmp_path), capsys)
    with capture_logs():  # else the server, which is in this process, would print among the command's words
        yield stage
    stage.close()


def test_the_whole_cycle_succeeds_and_leaves_no_trace(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        code, out = stage.play(url)

    assert code == 0, out
    assert "answers are what Entra ID needs" in out
    assert stage.left() == [0, 0]


def test_every_step_is_told_in_words_with_what_was_sent_and_answered(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        _, out = stage.play(url)

    assert "Test Connection" in out
    assert "> POST /Users" in out
    assert '{"op":"Replace","path":"active","value":"False"}' in out
    assert '"scimType":"uniqueness"' in out
    assert "scim_" not in out, "the token is not shown"


def test_what_was_made_is_kept_when_asked_for(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        code, _ = stage.play(url, "--keep")

    assert code == 0
    assert stage.left() == [2, 1]


def test_as_json_it_is_one_document_with_every_step(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        code, out = stage.play(url, "--json")
    told = orjson.loads(out)

    assert code == 0
    assert told["passed"] is True
    assert told["url"] == url
    assert len(told["steps"]) >= 25
    assert all(step["complaints"] == [] and step["about"] for step in told["steps"])
    assert {step["status"] for step in told["steps"]} == {200, 201, 204, 404, 409}


def test_without_a_token_one_is_made_and_revoked(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        host, port = url.removeprefix("http://").removesuffix("/scim/v2").split(":")
        local = Context(replace(stage.context.settings, host=host, port=int(port)))
        code = demo.main(["entra", "--json"], obj=local, standalone_mode=False)
        tokens = local.tokens.list(local.tenant_id("default"))
        local.close()

    assert code == 0
    assert [(token.name, token.revoked_at is not None) for token in tokens] == [("demo", True)]


Spoil = Callable[[Request, WSGIApplication, WSGIEnvironment, StartResponse], Iterable[bytes] | None]


def nobody_is_not_found(
    request: Request, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes] | None:
    """404 for a filter that finds nobody."""
    if request.method != "GET" or "nobody" not in request.args.get("filter", ""):
        return None
    start("404 Not Found", [("Content-Type", "application/scim+json")])
    return [b'{"detail":"nobody"}']


def removal_empties_the_group(
    request: Request, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes] | None:
    """Remove with a value list takes out everybody."""
    if request.method != "PATCH" or b'"Remove"' not in request.get_data():
        return None
    return app(_with_body(environ, _operations({"op": "remove", "path": "members"})), start)


def text_booleans_are_ignored(
    request: Request, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes] | None:
    """Leavers stay in."""
    if b'"value":"False"' not in request.get_data():
        return None
    return app(_with_body(environ, _operations({"op": "replace", "path": "active", "value": True})), start)


def pages_instead_of_scim(
    request: Request, app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes] | None:
    """A proxy answers with a page."""
    start("200 OK", [("Content-Type", "text/html")])
    return [b"<html>Sign in</html>"]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (nobody_is_not_found, "status 404 where 200 is needed"),
        (removal_empties_the_group, "members/0/value is missing"),
        (text_booleans_are_ignored, "active is True instead of False"),
        (pages_instead_of_scim, "the body is not JSON"),
    ],
)
def test_an_answer_entra_cannot_live_with_fails_the_play(stage: Stage, spoil: Spoil, complaint: str) -> None:
    def spoiled(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        again = _with_body(environ, body)
        answer = spoil(request, stage.app, again, start)
        return stage.app(_with_body(environ, body), start) if answer is None else answer

    with stage.open(spoiled) as url:
        code, out = stage.play(url)

    assert code == 1
    assert complaint in out
    assert stage.left() == [0, 0]


def test_a_server_that_does_not_answer_fails_the_play(stage: Stage) -> None:
    with stage.open(stage.app) as url:
        pass  # gone again
    code, out = stage.play(url)

    assert code == 1
    assert "does not answer" in out


def test_the_token_may_come_from_standard_input(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{stage.token()}\n"))
    with stage.open(stage.app) as url:
        code = demo.main(["entra", "--url", url, "--token", "-"], obj=stage.context, standalone_mode=False)

    assert code == 0


def test_a_foreign_server_needs_its_token(stage: Stage) -> None:
    with pytest.raises(click.UsageError, match="--token"):
        demo.main(["entra", "--url", "https://scim.example.com"], obj=stage.context, standalone_mode=False)


def _operations(*operations: dict[str, Any]) -> bytes:
    return orjson.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})


def _with_body(environ: WSGIEnvironment, body: bytes) -> WSGIEnvironment:
    return {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
