"""Users and groups: the lists, and everything about one of them."""

from typing import Any

import orjson
from flask import abort, render_template, request

from scim_server.domain.attributes import flatten
from scim_server.scim.registry import ResourceType
from scim_server.store.reads.administration import links_of
from scim_server.store.reads.duplicates import cases_about
from scim_server.store.reads.history import Change, list_changes
from scim_server.store.reads.people import count_members, first_members
from scim_server.store.reads.provenance import providers_of
from scim_server.store.reads.resources import find_resource, groups_of
from scim_server.web.console.listing import list_people
from scim_server.web.console.site import bp, read, tenant
from scim_server.web.scim.exchange import services

_NOBODY = 0  # no source has this id: nothing is hidden from an administrator
_CHANGES = 20
_MEMBERS = 200


@bp.get("/users")
def show_users() -> str:
    """Search, filter, sort and page through users."""
    return _show_list(services().registry_of(tenant()).user, "users")


@bp.get("/groups")
def show_groups() -> str:
    """Search, filter, sort and page through groups."""
    return _show_list(services().registry_of(tenant()).group, "groups")


@bp.get("/users/<resource_id>")
def show_user(resource_id: str) -> str:
    """One user: values and where they come from, links, groups, duplicates and history."""
    return _show_one("User", resource_id)


@bp.get("/groups/<resource_id>")
def show_group(resource_id: str) -> str:
    """One group: values and where they come from, links, members, groups it is in, and history."""
    return _show_one("Group", resource_id)


def _show_list(kind: ResourceType, name: str) -> str:
    listed = list_people(kind, f"console.show_{name}")
    with read() as session:
        sizes = count_members(session, [person.pk for person in listed.people.rows]) if name == "groups" else {}
    return render_template(f"pages/{name}.html", listed=listed, sizes=sizes)


def _show_one(kind: str, resource_id: str) -> str:
    with read() as session:
        found = find_resource(session, kind, resource_id, _NOBODY)
        if found is None:
            abort(404)
        changes = list_changes(session, found.pk, _CHANGES + 1, request.args.get("before", 2**62, type=int))
        shown = {
            "links": links_of(session, found.pk),
            "groups": groups_of(session, [found.pk]).get(found.pk, []),
            "cases": cases_about(session, found.pk),
            "members": first_members(session, found.pk, _MEMBERS) if kind == "Group" else [],
            "size": count_members(session, [found.pk]).get(found.pk, 0) if kind == "Group" else 0,
            "providers": providers_of(session, found.pk),
        }
    document = orjson.loads(found.document)
    return render_template(
        f"pages/{kind.lower()}.html",
        found=found,
        document=document,
        attributes=flatten(document),
        changes=[(change, _differences(change)) for change in changes[:_CHANGES]],
        older=changes[_CHANGES - 1].seq if len(changes) > _CHANGES else None,
        **shown,
    )


def _differences(change: Change) -> list[tuple[str, Any, Any]]:
    """Attribute, value before and value after, for each that differs."""
    before, after = orjson.loads(change.before), orjson.loads(change.after)
    return [(name, before.get(name), after.get(name)) for name in {**before, **after}]
