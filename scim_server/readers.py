"""Where sources and connectors meet: the reader of a source, and what its settings may be.

Nothing else of the server imports connectors; the parts below get what they need from here as plain functions.
"""

from collections.abc import Mapping

from connectors.registry import Connector, UnknownKind, find_connector
from connectors.settings import SettingsError
from scim_server.admin.errors import Refused
from scim_server.admin.policies import POLICY_SETTINGS, check_policy
from scim_server.admin.sources import Sources
from scim_server.domain.observations import DirectoryReader

_MISSING = "is required"


class Readers:
    """The readers of all sources; settings and secrets are looked up anew for each."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __call__(self, tenant: int, source_id: int) -> DirectoryReader:
        """The reader of the source. Raises NotThere, and Refused where its settings are not enough."""
        access = self._sources.open(tenant, source_id)
        connector = connector_of(access.kind)
        settings = {name: value for name, value in access.settings.items() if name not in POLICY_SETTINGS}
        try:
            return connector.open_reader(settings, access.secrets)
        except SettingsError as error:
            raise Refused(str(error)) from None


def connector_of(kind: str) -> Connector:
    """The connector of sources of that kind; raises Refused where such sources are not read."""
    try:
        return find_connector(kind)
    except UnknownKind as error:
        raise Refused(str(error)) from None


def check_settings(kind: str, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Mapping[str, str]:
    """The settings under their proper names. Raises Refused where one is unknown or cannot have its value.

    What is missing is no mistake yet: somebody may add it later, and until then the connection test tells it.
    """
    connector = connector_of(kind)
    named = {connector.also_called.get(name, name): value for name, value in settings.items()}
    check_policy({name: value for name, value in named.items() if value})
    own = {name: value for name, value in named.items() if name not in POLICY_SETTINGS}
    try:
        connector.open_reader(own, secrets)
    except SettingsError as error:
        problems = {name: problem for name, problem in error.problems.items() if problem != _MISSING}
        if problems:
            raise Refused(str(SettingsError(problems))) from None
    return named


def missing_settings(kind: str, settings: Mapping[str, object], secrets: tuple[str, ...]) -> list[str]:
    """The names of settings and secrets without which the source cannot be read."""
    given = {*settings, *secrets}
    return [each.name for each in connector_of(kind).settings if each.required and each.name not in given]
