"""Strategies for JSON, from any value to documents that nearly fit a resource type."""

from hypothesis import strategies as st

from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type
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
        Attribute("pin", mutability=Mutability.WRITE_ONLY, returned=Returned.NEVER),
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


_SIMPLE_VALUES: dict[Type, st.SearchStrategy[object]] = {
    Type.BOOLEAN: st.booleans() | st.sampled_from(["True", "false"]),
    Type.INTEGER: st.integers(-5, 9),
    Type.DECIMAL: st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    Type.DATE_TIME: st.sampled_from(["2026-03-02T09:14:07Z", "2026-03-02T09:14:07.1234567+01:00"]),
    Type.BINARY: st.sampled_from(["AAEC", "AAE="]),
}
_TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5) | st.sampled_from(
    ['{"value":"Admin","displayName":"A"}', '{"value":"{\\"value\\":\\"Deep\\"}"}', "a"]
)
_EMPTY = st.sampled_from([None, "", [], {}])


def near_values(attribute: Attribute) -> st.SearchStrategy[object]:
    """Values that fit the attribute in all the shapes that clients use."""
    if attribute.is_complex:
        subs = {sub.name: near_values(sub) for sub in attribute.sub_attributes}
        fitting = st.fixed_dictionaries({}, optional=subs).flatmap(_respelled)
        if "value" in subs:
            fitting = fitting | _TEXTS
        if not attribute.multi_valued:
            fitting = fitting | fitting.map(lambda value: [value])
    else:
        fitting = _SIMPLE_VALUES.get(attribute.type, _TEXTS)
    if attribute.multi_valued:
        fitting = st.lists(fitting | _EMPTY, max_size=3) | fitting
    return fitting | _EMPTY


def _respelled(document: dict[str, object]) -> st.SearchStrategy[object]:
    spellings = st.sampled_from([str, str, str.upper, str.lower])
    return spellings.map(lambda spell: {spell(name): value for name, value in document.items()})


def _places(resource_type: ResourceType) -> dict[str, st.SearchStrategy[object]]:
    """Keys of a body, from plain to composed and unknown, with values that fit."""
    places = {attribute.name: near_values(attribute) for attribute in resource_type.core}
    for schema in resource_type.extensions:
        values = {attribute.name: near_values(attribute) for attribute in schema}
        places[schema.id.upper()] = st.fixed_dictionaries({}, optional=values)
        places |= {f"{schema.id}:{name}": value for name, value in values.items()} | values
    places |= {f"{resource_type.core.id}:{attribute.name}": near_values(attribute) for attribute in resource_type.core}
    places["name.familyName"] = places["externalId"] = _TEXTS
    places["nonsense"] = places["emails.nonsense"] = any_json
    places["schemas"] = st.just([resource_type.core.id, "urn:unknown"])
    return places


@st.composite
def near_documents(draw: st.DrawFn, resource_type: ResourceType, spoiled: int = 1) -> object:
    """Bodies that fit the resource type in odd spellings; up to ``spoiled`` of the values fit nothing."""
    places = _PLACES[resource_type.name]
    names = draw(st.lists(st.sampled_from(sorted(places)), max_size=6, unique_by=str.lower))
    document = {name: draw(places[name]) for name in names}
    for name in draw(st.lists(st.sampled_from(names), max_size=spoiled)) if names else []:
        document[name] = draw(any_json)
    required = {attribute.name: "mira" for attribute in resource_type.core if attribute.required}
    return required | document


_PLACES = {resource_type.name: _places(resource_type) for resource_type in REGISTRY.types}
