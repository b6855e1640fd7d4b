"""Strategies for JSON, from any value to documents that nearly fit a resource type."""

from hypothesis import strategies as st

from scim_server.scim.characteristics import Attribute, Mutability, Schema, Type
from scim_server.scim.registry import ResourceType, SchemaRegistry

BADGE = Schema(
    "urn:example:scim:schemas:extension:Badge:1.0:User",
    "Badge",
    "One attribute of every type.",
    (
        Attribute("number", Type.INTEGER, mutability=Mutability.IMMUTABLE),
        Attribute("weight", Type.DECIMAL),
        Attribute("issued", Type.DATE_TIME),
        Attribute("picture", Type.BINARY, case_exact=True),
        Attribute("doors", Type.STRING, multi_valued=True),
        Attribute("levels", Type.INTEGER, multi_valued=True),
        Attribute("revoked", Type.BOOLEAN),
        Attribute("pin", mutability=Mutability.WRITE_ONLY),
        Attribute("printed", mutability=Mutability.READ_ONLY),
        Attribute(
            "reader",
            Type.COMPLEX,
            sub_attributes=(
                Attribute("serial", required=True),
                Attribute("site", mutability=Mutability.IMMUTABLE),
                Attribute("tags", multi_valued=True),
            ),
        ),
    ),
)
REGISTRY = SchemaRegistry.standard(user_extensions=[BADGE])
USER, GROUP = REGISTRY.user, REGISTRY.group

json_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("TRUE")
)
any_json = st.recursive(
    json_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def _cased(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name, name.upper(), name.lower()])


def near_values(attribute: Attribute) -> st.SearchStrategy[object]:
    """Values that often fit the attribute, in all the shapes that clients use."""
    if attribute.is_complex:
        fitting: st.SearchStrategy[object] = st.fixed_dictionaries(
            {}, optional={sub.name: near_values(sub) for sub in attribute.sub_attributes}
        ) | st.dictionaries(st.sampled_from(sorted(attribute.sub_names)).flatmap(_cased), json_scalars, max_size=3)
    else:
        fitting = {
            Type.BOOLEAN: st.booleans() | st.sampled_from(["True", "false"]),
            Type.INTEGER: st.integers(-5, 2**64),
            Type.DECIMAL: st.integers() | st.floats(),
            Type.DATE_TIME: st.sampled_from(["2026-03-02T09:14:07Z", "2026-02-30T00:00:00Z", "today"]),
            Type.BINARY: st.sampled_from(["AAEC", "AAE", "not base64"]),
        }.get(attribute.type, st.text(max_size=5) | st.just('{"value":"Admin","displayName":"A"}'))
    if attribute.multi_valued:
        fitting = st.lists(fitting, max_size=3) | fitting
    return fitting | any_json


def near_documents(resource_type: ResourceType) -> st.SearchStrategy[object]:
    """Bodies with known names in any case and spelling, unknown names, and values that often fit."""
    core = {attribute.name: near_values(attribute) for attribute in resource_type.core}
    extensions = {
        schema.id: st.fixed_dictionaries({}, optional={a.name: near_values(a) for a in schema}) | any_json
        for schema in resource_type.extensions
    }
    composed = {
        "name.familyName": any_json,
        "department": any_json,
        f"{resource_type.core.id}:displayName": st.text(max_size=5),
        **{f"{schema.id}:{schema.attributes[0].name}": any_json for schema in resource_type.extensions},
        "schemas": any_json | st.just([resource_type.core.id]),
        "nonsense": any_json,
        "externalId": any_json,
        "USERNAME": any_json,
    }
    required = {
        attribute.name: st.text(min_size=1, max_size=5).filter(lambda text: "\0" not in text)
        for attribute in resource_type.core
        if attribute.required
    }
    optional = {name: value for name, value in (core | extensions | composed).items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional) | any_json
