"""An encrypted, authenticated connection to one domain controller, and searches that either succeed or raise."""

import ctypes
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from ldap3 import BASE, DEREF_NEVER, LEVEL, NONE, SIMPLE, SUBTREE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.protocol.controls import build_control
from ldap3.protocol.microsoft import DirSyncControlRequestValue, extended_dn_control, show_deleted_control

from connectors.active_directory.config import Config, host_and_port
from connectors.active_directory.entries import Entry, make_entry
from connectors.active_directory.errors import DirectoryError, SignInRefused, explain, explain_result

__all__ = ["BASE", "LEVEL", "SUBTREE", "DomainController", "connect"]

PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"
DIRSYNC: Final = "1.2.840.113556.1.4.841"
_INCREMENTAL_VALUES: Final = 0x80000000
_DIRSYNC_BYTES: Final = 1 << 20
_SEARCH_RESULT_ENTRY: Final = 4  # RFC 4511 section 4.5.2
_READ_BYTES: Final = 1 << 16
_GARBLED: Final = (IndexError, KeyError, TypeError, ValueError)  # what ldap3 and we raise for bytes that are no answer
NO_ATTRIBUTES: Final = ("1.1",)  # RFC 4511 section 4.5.1.8
ANYTHING: Final = "(objectClass=*)"


class VerifyingTls(Tls):
    """TLS as Python's ssl module does it, host name or address checked; ldap3's own check knows no addresses."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=context.verify_mode)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:
        """Replaces the connection's socket by an encrypted one."""
        connection.socket = self._context.wrap_socket(
            connection.socket, do_handshake_on_connect=do_handshake, server_hostname=self._host
        )


class DomainController:
    """A signed-in connection to one domain controller; use it as a context manager."""

    def __init__(self, url: str, connection: Connection, config: Config) -> None:
        self.url = url
        self._connection = connection
        self._config = config

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close(self._connection)

    def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        scope: str = SUBTREE,
        page_size: int | None = None,
        with_deleted: bool = False,
    ) -> Iterator[list[Entry]]:
        """Every matching object, page by page. Raises DirectoryError unless the answer is complete."""
        controls = [extended_dn_control(criticality=True)]
        if with_deleted:
            controls.append(show_deleted_control(criticality=True))
        cookie: bytes | None = None
        while True:
            paging = {
                "paged_size": page_size or self._config.page_size,
                "paged_cookie": cookie,
                "paged_criticality": True,
            }
            entries = self._ask(base, query, attributes, scope=scope, controls=controls, **paging)
            cookie = self._answered(PAGED_RESULTS)["cookie"]
            if entries:
                yield entries
            if not cookie:
                return

    def read(self, base: str, attributes: Sequence[str], *, with_deleted: bool = False) -> Entry | None:
        """The one object with this DN or ``<GUID=...>``, None if it cannot be seen. Raises DirectoryError."""
        controls = [extended_dn_control(criticality=True)]
        if with_deleted:
            controls.append(show_deleted_control(criticality=True))
        entries = self._ask(base, ANYTHING, attributes, scope=BASE, controls=controls)
        return entries[0] if entries else None

    def root(self, attributes: Sequence[str]) -> Entry:
        """The rootDSE (RFC 4512 section 5.1). Raises DirectoryError."""
        entries = self._ask("", ANYTHING, attributes, scope=BASE, controls=[])
        if not entries:
            raise DirectoryError(f"{self.url}: the domain controller does not describe itself")
        return entries[0]

    def dirsync(
        self, base: str, query: str, attributes: Sequence[str], cookie: bytes
    ) -> tuple[list[Entry], bytes, bool]:
        """What changed since the cookie: rows, the next cookie, and whether there is more ([MS-ADTS] 3.1.1.3.4.1.3).

        A row carries changed attributes only. Raises DirectoryError, with code 50 where the right is missing.
        """
        request = DirSyncControlRequestValue()
        # a signed 32-bit integer on the wire; ldap3's own function sends five bytes on 64-bit machines
        request["Flags"] = ctypes.c_int32(_INCREMENTAL_VALUES).value
        request["MaxBytes"] = _DIRSYNC_BYTES
        request["Cookie"] = cookie
        controls = [
            build_control(DIRSYNC, True, request),
            extended_dn_control(criticality=True),
            show_deleted_control(criticality=True),
        ]
        rows = self._ask(base, query, attributes, scope=SUBTREE, controls=controls)
        answer = self._answered(DIRSYNC)
        return rows, bytes(answer["cookie"]), bool(answer["more_results"])

    def _ask(self, base: str, query: str, attributes: Sequence[str], **options: Any) -> list[Entry]:
        """The rows of one successful answer; references to other servers are not followed."""
        scope = options.pop("scope")
        try:
            self._connection.search(
                base,
                query,
                scope,
                dereference_aliases=DEREF_NEVER,
                attributes=list(attributes),
                time_limit=self._config.read_timeout,
                **options,
            )
        except LDAPException as error:
            raise explain(error, self.url) from error
        except _GARBLED as error:
            raise DirectoryError(f"{self.url}: the answer cannot be understood") from error
        result = self._connection.result
        # ldap3 raises neither for a size limit nor for a time limit
        if result["result"] != 0:
            raise explain_result(result["result"], result["description"], str(result["message"] or ""), self.url)
        rows = self._connection.response or []
        try:
            return [make_entry(row["raw_dn"], row["raw_attributes"]) for row in rows if row["type"] == "searchResEntry"]
        except _GARBLED as error:
            raise DirectoryError(f"{self.url}: a row of the answer cannot be understood") from error

    def _answered(self, oid: str) -> Any:
        control = self._connection.result.get("controls", {}).get(oid)
        if control is None:
            raise DirectoryError(f"{self.url}: the answer has no end mark, so it may be incomplete")
        return control["value"]


def connect(config: Config, *, first: str | None = None) -> DomainController:
    """The first domain controller that lets the service account in, ``first`` before the others.

    Raises DirectoryError; one controller's refusal of the password ends the search, to spare the lockout counter.
    """
    urls = sorted(config.urls, key=lambda url: url != first)
    failures: list[DirectoryError] = []
    for url in urls:
        try:
            return DomainController(url, sign_in(config, url), config)
        except SignInRefused:
            raise
        except DirectoryError as error:
            failures.append(error)
    raise DirectoryError("; ".join(failure.text for failure in failures), failures[0].remedy)


def tls_context(config: Config) -> ssl.SSLContext:
    """The TLS settings of the source. Raises DirectoryError where the CA file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise DirectoryError(f"the CA file cannot be read: {error}", "It must be a PEM file.") from error
    if not config.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def sign_in(config: Config, url: str) -> Connection:
    """An open connection on which the service account is bound. Raises DirectoryError."""
    connection = open_encrypted(config, url, tls_context(config))
    try:
        connection.bind()
    except LDAPException as error:
        close(connection)
        raise explain(error, url) from error
    return connection


def open_encrypted(config: Config, url: str, context: ssl.SSLContext) -> Connection:
    """A connection with TLS, at once or by STARTTLS, on which nobody is bound yet. Raises DirectoryError."""
    host, port, is_ldaps = host_and_port(url)
    server = Server(
        host,
        port,
        use_ssl=is_ldaps,
        tls=VerifyingTls(context, host),
        get_info=NONE,
        connect_timeout=config.connect_timeout,
    )
    connection = Connection(
        server,
        user=config.bind_dn,
        password=config.password,
        authentication=SIMPLE,
        client_strategy=SYNC,
        read_only=True,
        auto_range=False,
        return_empty_attributes=False,
        check_names=False,
        auto_referrals=False,
        raise_exceptions=True,
        receive_timeout=config.read_timeout,
    )
    _keep_raw(connection)
    try:
        connection.open()
        if not is_ldaps:
            connection.start_tls()
    except LDAPException as error:
        close(connection)
        raise explain(error, url) from error
    return connection


def _keep_raw(connection: Connection) -> None:
    """Rows keep the bytes of their attributes and nothing else.

    ldap3 also makes a decoded copy of every value, guessing its type, and reads the socket in small pieces: without
    both a full read takes about two thirds of the processor time.
    """
    strategy = connection.strategy
    decode = strategy.decode_response_fast

    def decode_raw(message: dict[str, Any]) -> Any:
        if message["protocolOp"] != _SEARCH_RESULT_ENTRY:
            return decode(message)
        dn, attributes = message["payload"]
        values = {one[3][0][3].decode("ascii"): [value[3] for value in one[3][1][3]] for one in attributes[3]}
        return {"type": "searchResEntry", "raw_dn": dn[3], "raw_attributes": values, "attributes": {}}

    strategy.decode_response_fast = decode_raw
    strategy.socket_size = _READ_BYTES


def close(connection: Connection) -> None:
    """The connection is closed, whatever state it was in."""
    plain = connection.socket
    with suppress(LDAPException, OSError):
        connection.unbind()
    if plain:
        plain.close()  # ldap3 leaves a socket open that could not connect
