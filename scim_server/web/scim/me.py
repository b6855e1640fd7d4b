"""/Me: the user a token is bound to (RFC 7644 section 3.11)."""

from flask import Blueprint, Response

from scim_server.domain.clients import Scope
from scim_server.scim.errors import NotImplementedHere
from scim_server.web.scim import resources
from scim_server.web.scim.exchange import Exchange, exchange

bp = Blueprint("scim-me", __name__)


@bp.get("/Me")
def get_me() -> Response:
    """The bound user."""
    found = exchange(Scope.READ)
    return resources.read(found, found.registry.user, _bound_user(found))


@bp.put("/Me")
def replace_me() -> Response:
    """Replace the bound user."""
    found = exchange(Scope.WRITE)
    return resources.replace(found, found.registry.user, _bound_user(found))


@bp.patch("/Me")
def patch_me() -> Response:
    """Change the bound user."""
    found = exchange(Scope.WRITE)
    return resources.patch(found, found.registry.user, _bound_user(found))


@bp.delete("/Me")
def delete_me() -> Response:
    """Delete the bound user."""
    found = exchange(Scope.WRITE)
    return resources.delete(found, found.registry.user, _bound_user(found))


@bp.post("/Me")
def create_me() -> Response:
    """Self-registration is not offered."""
    exchange(Scope.WRITE)
    raise NotImplementedHere("Users do not register themselves here. Create them with POST /Users.")


def _bound_user(found: Exchange) -> str:
    if found.client.user_id is None:
        raise NotImplementedHere(
            "This token stands for a provisioning client, not for a user. Bind a token to a user to use /Me."
        )
    return found.client.user_id
