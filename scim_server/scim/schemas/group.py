"""The core Group schema (RFC 7643 sections 4.2 and 8.7.1)."""

from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type

GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"

MEMBERS = Attribute(
    "members",
    Type.COMPLEX,
    "The members of the group: users and groups.",
    multi_valued=True,
    sub_attributes=(
        Attribute("value", description="The id of the member.", case_exact=True, mutability=Mutability.IMMUTABLE),
        Attribute(
            "$ref",
            Type.REFERENCE,
            "The URI of the member.",
            case_exact=True,
            mutability=Mutability.IMMUTABLE,
            reference_types=("User", "Group"),
        ),
        Attribute(
            "display",
            description="The member's display name; ask for it with attributes=members.display.",
            mutability=Mutability.READ_ONLY,
            returned=Returned.REQUEST,
        ),
        Attribute(
            "type",
            description="What the member is.",
            mutability=Mutability.IMMUTABLE,
            canonical_values=("User", "Group"),
        ),
    ),
)

GROUP = Schema(
    GROUP_URN,
    "Group",
    "Group",
    (
        Attribute("displayName", description="The name of the group, suitable for display.", required=True),
        MEMBERS,
    ),
)
