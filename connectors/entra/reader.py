"""The Entra ID reader: delta rounds of users and groups as observations.

A read has two halves. First the scope and both rounds are fetched to their end (pages without observations are yielded
meanwhile, as signs of life); then every object is told once, as all that was told of it together means. So the order
in which Graph tells things does not matter, and an expired state is noticed before anything was passed on.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

from requests.adapters import BaseAdapter

from connectors.entra.auth import Tokens
from connectors.entra.browse import browse_groups
from connectors.entra.check import check_connection
from connectors.entra.config import Config
from connectors.entra.connection import Connection, Patience
from connectors.entra.credentials import credential_of
from connectors.entra.cursor import Cursor, decode_cursor, still_restorable
from connectors.entra.delta import ResyncRequired, follow_round
from connectors.entra.errors import EntraFailed, GraphRefused, Unavailable
from connectors.entra.graph import Graph
from connectors.entra.mapping import GROUP_PROPERTIES, UserMapping
from connectors.entra.objects import READ_GROUPS, READ_USERS, Objects
from connectors.entra.resolution import Fetched, Resolution
from connectors.entra.scope import Scope, read_scope
from connectors.entra.told import Told
from scim_server.domain.observations import End, Finding, ImmutableId, Kind, Observation, Page, Place, ReadEnd

_PAGE = 500  # observations in a page
_FOUND = "25"  # people of one name; more than anybody looks through


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class EntraReader:
    """A DirectoryReader over Microsoft Graph; the config says which tenant and what of it.

    ``now`` tells the time, ``patience`` how long to repeat requests, ``adapter`` sends them (for tests).
    """

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_now,
        patience: Patience | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._config = config
        self._now = now
        self._adapter = adapter
        self._patience = patience
        self._mapping = UserMapping(config.mapping)
        self._content = f"{config.scope_hash}-{config.mapping.fingerprint}"
        self._graph_once: Graph | None = None

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """Yield pages, the last with the end; see DirectoryReader.

        A cursor older than seven days, of another scope or mapping, or refused by Graph leads to a full read. Without
        the right to read groups the users are told and the end is partial.
        """
        before = decode_cursor(cursor)
        started = self._now()
        usable = before and before.is_usable(self._content, started, with_groups=self._config.import_groups)
        fetched = Fetched(
            Told("manager"),
            Told("members"),
            with_groups=self._config.import_groups,
            started=started,
            before=before if usable and not full else None,
            recycle_bin=dict(before.soft_deleted) if before else {},
        )
        try:
            failure = yield from self._fetch(fetched)
            resolution = Resolution(fetched, self._objects, self._mapping)
            told = _Batches(resolution.users(), resolution.groups(), resolution.left())
            yield from told.pages()
            failure = failure or told.failure
            if failure is not None and not told.any:
                raise failure
            yield Page((), self._end(fetched, resolution, failure))
        finally:
            fetched.close()

    def look_up(self, ids: Sequence[ImmutableId]) -> Mapping[ImmutableId, Observation]:
        """Read these objects now. One that cannot be read is left out.

        Raises ReadFailed when nothing can be read at all; when that happens later, the rest is left out.
        """
        scope = self._read_scope()
        found = {}
        for identifier in ids:
            try:
                found[identifier] = self._objects.look_up(identifier, scope)
            except GraphRefused:
                continue
            except EntraFailed:
                if not found:
                    raise
                break
        return found

    def find(self, name: str) -> Sequence[Observation]:
        """Users whose username, e-mail address (aliases too) or display name is this text."""
        text = name.strip().replace("'", "''")
        conditions = [f"{attribute} eq '{text}'" for attribute in ("userPrincipalName", "mail", "displayName")]
        filters = [" or ".join(conditions)]
        if "@" in text:
            filters.append(f"proxyAddresses/any(address:address eq 'smtp:{text}')")
        scope = self._read_scope()
        found: dict[ImmutableId, Observation] = {}
        for condition in filters:
            asked_at = self._now()
            query = {"$filter": condition, "$top": _FOUND, **self._objects.user_select}
            page = self._graph.get(self._graph.url("users"), query, permission=READ_USERS)
            for entry in page.get("value") or ():
                found.setdefault(entry["id"], self._objects.observe_user(entry, asked_at, scope))
        return list(found.values())

    def check(self) -> Sequence[Finding]:
        """Test the connection step by step, with a new sign-in: msal would answer a repeated one from memory."""
        return check_connection(self._config, self._now().date(), self._connect)

    def browse(self, parent: str | None) -> Sequence[Place]:
        """All groups, or with ``parent`` the groups directly inside it."""
        return browse_groups(self._graph, parent)

    def _fetch(self, fetched: Fetched) -> Generator[Page, None, EntraFailed | None]:
        """Everything is fetched, or as much as could be; returns the failure that ended it, if any."""
        try:
            try:
                yield from self._fetch_rounds(fetched)
            except ResyncRequired:
                fetched.clear()
                fetched.before = None
                yield from self._fetch_rounds(fetched)
        except ResyncRequired:
            return Unavailable("Graph keeps asking for a new enumeration.")
        except EntraFailed as failed:
            return failed
        return None

    def _fetch_rounds(self, fetched: Fetched) -> Iterator[Page]:
        before = fetched.before
        fetched.scope = self._read_scope()
        if before is None:  # looked into first: what is restored during the rounds must be noticed
            kinds = (Kind.USER, Kind.GROUP) if self._config.import_groups else (Kind.USER,)
            seen = (key for kind in kinds for key in self._objects.soft_deleted(kind))
            fetched.recycle_bin = dict.fromkeys(seen, fetched.started) | fetched.recycle_bin
        yield from self._follow(before.users if before else self._first_users_link(), fetched.users, READ_USERS)
        if self._config.import_groups:
            yield from self._follow(before.groups if before else self._first_groups_link(), fetched.groups, READ_GROUPS)

    def _follow(self, link: str, told: Told, permission: str) -> Iterator[Page]:
        for _ in follow_round(self._graph, link, told, permission=permission, clock=self._now):
            yield Page(())

    def _first_users_link(self) -> str:
        return f"{self._graph.url('users', 'delta')}?$select={','.join([*self._mapping.properties, 'manager'])}"

    def _first_groups_link(self) -> str:
        return f"{self._graph.url('groups', 'delta')}?$select={','.join([*GROUP_PROPERTIES, 'members'])}"

    def _end(self, fetched: Fetched, resolution: Resolution, failure: EntraFailed | None) -> ReadEnd:
        scope = self._config.scope_hash
        if failure is not None:
            read = "Users were read, groups were not. " if fetched.users.complete and not fetched.complete else ""
            return ReadEnd(End.PARTIAL, fetched.full, scope=scope, reason=f"{read}{failure}")
        cursor = Cursor(
            content=self._content,
            issued_at=fetched.started,
            users=fetched.users.delta_link,
            groups=fetched.groups.delta_link,
            scope_members=fetched.scope.members,
            soft_deleted=still_restorable(fetched.recycle_bin, resolution.deleted, resolution.back, fetched.started),
        )
        return ReadEnd(End.COMPLETE, fetched.full, cursor=cursor.encode(), scope=scope)

    def _read_scope(self) -> Scope:
        config = self._config
        return read_scope(
            self._graph,
            config.scope_groups,
            only_members=config.only_members,
            import_groups=config.import_groups,
        )

    @property
    def _graph(self) -> Graph:
        """Built at first use: a certificate that cannot be opened is a failed read and not a failed construction."""
        if self._graph_once is None:
            self._graph_once, _ = self._connect(self._patience)
        return self._graph_once

    @property
    def _objects(self) -> Objects:
        return Objects(self._graph, self._mapping, self._now, guests=self._config.guests)

    def _connect(self, patience: Patience | None) -> tuple[Graph, Tokens]:
        config = self._config
        connection = Connection(ca_file=config.ca_file, patience=patience, adapter=self._adapter)
        tokens = Tokens(
            authority=f"{config.endpoints.authority.rstrip('/')}/{config.tenant_id}",
            client_id=config.client_id,
            credential=credential_of(config),
            scope=f"{config.endpoints.graph_root.rstrip('/')}/.default",
            connection=connection,
        )
        return Graph(config.endpoints.graph_root, tokens, connection), tokens


class _Batches:
    """Observations in pages; a failure ends them, and what was read before it is still passed on."""

    def __init__(self, *sources: Iterable[Observation]) -> None:
        self._sources = sources
        self.failure: EntraFailed | None = None
        self.any = False

    def pages(self) -> Iterator[Page]:
        batch: list[Observation] = []
        try:
            for observation in chain.from_iterable(self._sources):
                batch.append(observation)
                if len(batch) == _PAGE:
                    self.any = True
                    yield Page(batch)
                    batch = []
        except EntraFailed as failure:
            self.failure = failure
        if batch:
            self.any = True
            yield Page(batch)
