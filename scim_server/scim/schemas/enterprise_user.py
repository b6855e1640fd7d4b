"""The enterprise extension of the User (RFC 7643 section 4.3)."""

from scim_server.scim.characteristics import Attribute, Mutability, Schema, Type

ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

MANAGER = Attribute(
    "manager",
    Type.COMPLEX,
    "The user's manager.",
    sub_attributes=(
        Attribute("value", description="The id of the manager.", case_exact=True),
        Attribute("$ref", Type.REFERENCE, "The URI of the manager.", case_exact=True, reference_types=("User",)),
        Attribute("displayName", description="The manager's display name.", mutability=Mutability.READ_ONLY),
    ),
)

ENTERPRISE_USER = Schema(
    ENTERPRISE_URN,
    "EnterpriseUser",  # as in RFC 7643 section 8.7.1; scim2-cli makes option names of it
    "Enterprise User",
    (
        Attribute("employeeNumber", description="The number the organization gave the user."),
        Attribute("costCenter", description="The name of a cost center."),
        Attribute("organization", description="The name of an organization."),
        Attribute("division", description="The name of a division."),
        Attribute("department", description="The name of a department."),
        MANAGER,
    ),
)
