"""The whole server, and provisioning clients that talk to it in process."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson
from flask import Flask
from werkzeug.test import Client as WsgiClient
from werkzeug.test import EnvironBuilder, TestResponse

from scim_server.admin.tenants import DEFAULT, PUSH_SOURCE, Tenants
from scim_server.admin.tokens import TokenDirectory, Tokens
from scim_server.domain.clients import Scope
from scim_server.factory import build_services, create_app
from scim_server.services import Services
from scim_server.settings import Settings

ORIGIN = "https://scim.fabrikam.test"
BASE = f"{ORIGIN}/scim/v2"

_AS_SENT = "/%?&=+:;,@!$'()*[]\"\\{}|^`<>~#"  # clients differ in what they encode; only what no URL may hold is encoded


class ScimClient:
    """One provisioning client: a bearer token and the endpoint it was told."""

    base = BASE

    def __init__(self, app: Flask, token: str) -> None:
        self._wsgi = WsgiClient(app)
        self.token = token

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        data: bytes | None = None,
    ) -> TestResponse:
        """The answer to a request; ``path`` begins after the base. A header of None is not sent."""
        raw_path, _, query = path.partition("?")
        body = data if json is None else orjson.dumps(json)
        sent: dict[str, str | None] = {"Authorization": f"Bearer {self.token}", "Accept": "application/scim+json"}
        if body is not None:
            sent["Content-Type"] = "application/scim+json"
        sent.update(headers or {})
        builder = EnvironBuilder(
            method=method,
            path=f"/scim/v2{raw_path}",
            base_url=ORIGIN,
            query_string=quote(query, safe=_AS_SENT),
            data=body,
            headers={name: value for name, value in sent.items() if value is not None},
        )
        return self._wsgi.open(builder)


class Server:
    """The application under test and its administration."""

    def __init__(self, settings: Settings) -> None:
        self.services: Services = self.build(settings)
        self.app = create_app(services=self.services)
        self.tenants = Tenants(self.services.database, self.services.clock)
        self.tokens = Tokens(self.services.database, self.services.clock, self.services.tokens)
        self.tenants.ensure_default()
        self._names = 0

    def build(self, settings: Settings) -> Services:
        """The services of the server, without threads that outlive a test."""
        built = build_services(settings)
        at_once = TokenDirectory(built.database, built.clock, run=lambda work: work())
        return replace(built, tokens=at_once)

    def client(
        self, *, tenant: str = DEFAULT, strict: bool = False, scopes: tuple[Scope, ...] = tuple(Scope)
    ) -> ScimClient:
        """A client with a fresh token of the tenant's push source."""
        self._names += 1
        tenant_id = self.tenants.get(tenant).id
        _, text = self.tokens.create(tenant_id, PUSH_SOURCE, f"test-{self._names}", scopes=scopes, strict=strict)
        return ScimClient(self.app, text)
