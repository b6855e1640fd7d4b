"""Where sources and connectors meet: the reader of a source, and what its settings may be.

Nothing else of the server imports connectors; the parts below get what they need from here as plain functions.
"""

from collections.abc import Iterator, Mapping, Sequence

from connectors.registry import Connector, UnknownKind, find_connector
from connectors.settings import SettingsError
from scim_server.admin.errors import Refused
from scim_server.admin.policies import POLICY_SETTINGS, check_policy
from scim_server.admin.sources import SourceKind, Sources
from scim_server.domain.observations import (
    DirectoryReader,
    Finding,
    ImmutableId,
    Observation,
    Outcome,
    Page,
    Place,
    ReadFailed,
)

_MISSING = "is required"
_NOT_READ = "This source is not read: its client pushes."


class NoDirectory:
    """The reader of a source that is not read: nothing is found in it, and reading it says so."""

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:  # noqa: ARG002 - the port's signature
        """Raises ReadFailed."""
        raise ReadFailed(_NOT_READ)

    def look_up(self, ids: Sequence[ImmutableId]) -> Mapping[ImmutableId, Observation]:  # noqa: ARG002 - the port's signature
        """Nothing."""
        return {}

    def find(self, name: str) -> Sequence[Observation]:  # noqa: ARG002 - the port's signature
        """Raises ReadFailed."""
        raise ReadFailed(_NOT_READ)

    def check(self) -> Sequence[Finding]:
        """Says that there is nothing to test."""
        return [Finding("read", Outcome.FAILED, _NOT_READ, "Test the connection in the client.")]

    def browse(self, parent: str | None) -> Sequence[Place]:  # noqa: ARG002 - the port's signature
        """Raises ReadFailed."""
        raise ReadFailed(_NOT_READ)


class Readers:
    """The readers of all sources; settings and secrets are looked up anew for each."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __call__(self, tenant: int, source_id: int) -> DirectoryReader:
        """The reader of the source. Raises NotThere, and Refused where its settings are not enough."""
        access = self._sources.open(tenant, source_id)
        if access.kind in (SourceKind.SCIM, SourceKind.LOCAL):
            return NoDirectory()
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
