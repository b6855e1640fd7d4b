"""The settings that every pulled source has, whatever directory it reads, in words for administrators."""

from collections.abc import Mapping
from typing import Final

from scim_server.admin.errors import Refused
from scim_server.domain.policies import parse_policy

POLICY_SETTINGS: Final[Mapping[str, str]] = {
    "import_mode": "Who comes in: `all` in scope, or only those `chosen`.",
    "on_deleted": "What happens to a user deleted in the directory: `delete`, `deactivate` or `ignore`.",
    "on_out_of_scope": "The same for one who left the scope.",
    "on_disabled": "The same for one who is disabled.",
    "may_create": "Whether people nobody knows yet become users.",
    "null_handling": "What an attribute without value does to one that has some: `none`, `fill_empty` or `overwrite`.",
    "duplicate_keys": "Which values make a duplicate: `username`, `email` or both.",
    "strong_keys": "Attributes whose equal values prove the same person, such as `employeeNumber`.",
    "weak": "What an equal username or address alone does: `duplicate` or `adopt`.",
    "contested_new": "Who gets a value that several new people want: the `best` ranked or `none`.",
    "realm": "Name of the realm; of sources of one realm the later news counts.",
    "grace_minutes": "Minutes for which a pushed value outweighs a pulled one.",
    "plan_minutes": "Minutes for which a plan waits for its confirmation.",
    "limit_removals": "Removals in one run, or a day, that hold a plan.",
    "limit_removals_percent": "The same as a share of the source's users.",
    "limit_shrunken_percent": "Share of the objects of the last full read below which a full read holds a plan.",
    "limit_identity_percent": "Share of users who change username or address above which a plan is held.",
    "limit_duplicates_percent": "Share of duplicates among the objects read above which a plan is held.",
    "limit_errors_percent": "Share of objects that cannot be imported above which a plan is held.",
    "limit_smallest_base": "Users from which shares are judged at all.",
    "limit_smallest_share": "Users a share must concern to be judged.",
}


def check_policy(settings: Mapping[str, str]) -> None:
    """Raises Refused where a policy setting has a value it cannot have."""
    try:
        parse_policy(settings)
    except ValueError as error:
        raise Refused(str(error)) from None
