"""A source that is pushed to: its Tenant URL, its tokens, and the steps in the Entra admin center."""

from datetime import timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.sources import Source
from scim_server.web.console.site import admin, bp, tenant
from scim_server.web.scim.exchange import base_url, services

_DAYS = {"90": 90, "180": 180, "365": 365, "never": None}


@bp.post("/sources/<name>/tokens")
def create_token(name: str) -> ResponseReturnValue:
    """A new token, shown in this answer and never again."""
    source = admin().sources.get(tenant(), name)
    label = request.form.get("label", "").strip()
    if not label or len(label) > 100:
        return show_push_source(source, error="Give the token a name of at most 100 characters."), 400
    days = _DAYS.get(request.form.get("days", ""), 365)
    until = services().clock.now() + timedelta(days=days) if days else None
    _, text = admin().tokens.create(tenant(), name, label, strict="strict" in request.form, expires_at=until)
    return show_push_source(source, created=text)


@bp.post("/sources/<name>/tokens/<token_id>/revoke")
def revoke_token(name: str, token_id: str) -> ResponseReturnValue:
    """The token is worthless from now on."""
    if not any(token.id == token_id and token.source == name for token in admin().tokens.list(tenant())):
        raise NotThere("there is no such token")
    try:
        admin().tokens.revoke(tenant(), token_id)
    except NotThere:
        raise Refused("that token was revoked already") from None
    return redirect(url_for("console.show_source", name=name), code=303)


def show_push_source(source: Source, *, created: str | None = None, error: str | None = None) -> str:
    """The page of the source; ``created`` is the text of a token that was made just now."""
    now = services().clock.now()
    tokens = [token for token in admin().tokens.list(tenant()) if token.source == source.name]
    return render_template(
        "pages/push_source.html",
        source=source,
        tenant_url=base_url(),
        tokens=[(token, token.is_valid(now)) for token in reversed(tokens)],
        choices=list(_DAYS),
        created=created,
        error=error,
    )
