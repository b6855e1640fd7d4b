"""The core User schema (RFC 7643 sections 4.1 and 8.7.1)."""

from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type, Uniqueness

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"


def plural(
    name: str,
    description: str,
    *,
    types: tuple[str, ...] = (),
    value: Attribute | None = None,
) -> Attribute:
    """A multi-valued complex attribute with the default sub-attributes of RFC 7643 section 2.4."""
    return Attribute(
        name,
        Type.COMPLEX,
        description,
        multi_valued=True,
        sub_attributes=(
            value or Attribute("value", description="The value itself."),
            Attribute("display", description="A human-readable name, primarily used for display purposes."),
            Attribute("type", description="A label indicating the attribute's function.", canonical_values=types),
            Attribute("primary", Type.BOOLEAN, "The preferred value; true at most once."),
        ),
    )


NAME = Attribute(
    "name",
    Type.COMPLEX,
    "The components of the user's name.",
    sub_attributes=(
        Attribute("formatted", description="The full name, formatted for display."),
        Attribute("familyName", description="The family name, or last name."),
        Attribute("givenName", description="The given name, or first name."),
        Attribute("middleName", description="The middle name(s)."),
        Attribute("honorificPrefix", description="The honorific prefix(es), or title."),
        Attribute("honorificSuffix", description="The honorific suffix(es)."),
    ),
)

ADDRESSES = Attribute(
    "addresses",
    Type.COMPLEX,
    "Physical mailing addresses.",
    multi_valued=True,
    sub_attributes=(
        Attribute("formatted", description="The full mailing address, formatted for display."),
        Attribute("streetAddress", description="The full street address."),
        Attribute("locality", description="The city or locality."),
        Attribute("region", description="The state or region."),
        Attribute("postalCode", description="The zip code or postal code."),
        Attribute("country", description="The country name."),
        Attribute("type", description="A label.", canonical_values=("work", "home", "other")),
        Attribute("primary", Type.BOOLEAN, "The preferred address; true at most once."),
    ),
)

GROUPS = Attribute(
    "groups",
    Type.COMPLEX,
    "The groups the user belongs to, directly or through nested groups.",
    multi_valued=True,
    mutability=Mutability.READ_ONLY,
    sub_attributes=(
        Attribute("value", description="The id of the group.", case_exact=True, mutability=Mutability.READ_ONLY),
        Attribute(
            "$ref",
            Type.REFERENCE,
            "The URI of the group.",
            case_exact=True,
            mutability=Mutability.READ_ONLY,
            reference_types=("Group",),
        ),
        Attribute("display", description="The group's display name.", mutability=Mutability.READ_ONLY),
        Attribute(
            "type",
            description="Whether the membership is direct or comes through a nested group.",
            mutability=Mutability.READ_ONLY,
            canonical_values=("direct", "indirect"),
        ),
    ),
)

USER = Schema(
    USER_URN,
    "User",
    "User Account",
    (
        Attribute(
            "userName",
            description="The unique identifier the user signs in with.",
            required=True,
            uniqueness=Uniqueness.SERVER,
        ),
        NAME,
        Attribute("displayName", description="The name of the user, suitable for display."),
        Attribute("nickName", description="The casual way to address the user."),
        Attribute(
            "profileUrl",
            Type.REFERENCE,
            "The URL of the user's online profile.",
            case_exact=True,
            reference_types=("external",),
        ),
        Attribute("title", description="The user's title, such as Vice President."),
        Attribute("userType", description="The relationship between the organization and the user."),
        Attribute("preferredLanguage", description="The user's preferred language."),
        Attribute("locale", description="The user's default location for localization."),
        Attribute("timezone", description="The user's time zone, in IANA form."),
        Attribute("active", Type.BOOLEAN, "Whether the user may use the service."),
        Attribute(
            "password",
            description="Accepted and discarded: this server does not authenticate users.",
            case_exact=True,
            mutability=Mutability.WRITE_ONLY,
            returned=Returned.NEVER,
        ),
        plural("emails", "E-mail addresses.", types=("work", "home", "other")),
        plural(
            "phoneNumbers",
            "Phone numbers.",
            types=("work", "home", "mobile", "fax", "pager", "other"),
        ),
        plural(
            "ims",
            "Instant messaging addresses.",
            types=("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
        ),
        plural(
            "photos",
            "URIs of photos.",
            types=("photo", "thumbnail"),
            value=Attribute(
                "value", Type.REFERENCE, "The URI of a photo.", case_exact=True, reference_types=("external",)
            ),
        ),
        ADDRESSES,
        GROUPS,
        plural("entitlements", "Entitlements, things the user has."),
        plural("roles", "Roles, who the user is."),
        plural(
            "x509Certificates",
            "X.509 certificates.",
            value=Attribute("value", Type.BINARY, "A DER-encoded certificate in base64.", case_exact=True),
        ),
    ),
)
