"""A proxy that understands LDAP and gives a Samba domain controller the limits and moods of others.

Samba enforces neither MaxValRange nor MaxPageSize. The proxy ends TLS on both sides, rewrites the controller's answers
and passes everything else on.
"""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ldap3.protocol.rfc4511 import Controls, LDAPMessage, PartialAttribute, PartialAttributeList, ResultCode, Vals
from ldap3.strategy.base import BaseStrategy
from pyasn1.codec.ber import decoder, encoder

_UNBIND, _SEARCH, _ENTRY, _DONE, _REFERENCE = 0x42, 0x63, 0x64, 0x65, 0x73
_SUBTREE = 2  # RFC 4511 section 4.5.1.2


@dataclass
class Limits:
    """What the controller behind the proxy seems to do."""

    values: int | None = None
    """MaxValRange: so many values of ``member`` in one answer."""
    entries: int | None = None
    """So many entries of one search, then sizeLimitExceeded."""
    result: int | None = None
    """The result code of every search that brings more than one entry."""
    hides_entries: bool = False
    """Every search is a success without entries."""
    breaks_ranges: bool = False
    """A read that asks for a further range brings nothing."""
    garbles_entries: bool = False
    """Rows are no LDAP but zeros, of the right length."""
    hides_subtrees: bool = False
    """Every search below a base is a success without entries; single objects can still be read."""
    without_controls: bool = False
    """Answers carry no controls, so no end mark."""


class LimitedController:
    """The proxy, listening on 127.0.0.1 with the controller's own certificate."""

    def __init__(self, address: str, certificates: Path, limits: Limits) -> None:
        self.limits = limits
        self._target = (address, 636)
        self._server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_side.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
        self._client_side = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldaps://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
                client = self._server_side.wrap_socket(plain, server_side=True)
                server = self._client_side.wrap_socket(
                    socket.create_connection(self._target, 10), server_hostname=self._target[0]
                )
            except OSError:
                return
            _Conversation(client, server, self.limits).start()


class _Conversation:
    """One client's connection; a request is passed on and its answer read before the next, as ldap3 asks."""

    def __init__(self, client: ssl.SSLSocket, server: ssl.SSLSocket, limits: Limits) -> None:
        self._client = client
        self._server = server
        self._limits = limits
        self._entries: Counter[int] = Counter()

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            for request in _messages(self._client):
                self._server.sendall(request)
                if _operation(request) == _UNBIND:
                    break
                self._answer(request)
        for one in (self._client, self._server):
            one.close()

    def _answer(self, request: bytes) -> None:
        for raw in _messages(self._server):
            operation = _operation(raw)
            if operation == _ENTRY:
                self._pass_entry(raw, request)
            elif operation == _DONE:
                self._client.sendall(self._changed_end(raw))
            else:
                self._client.sendall(raw)
            if operation not in (_ENTRY, _REFERENCE):
                return

    def _pass_entry(self, raw: bytes, request: bytes) -> None:
        message, _ = decoder.decode(raw, asn1Spec=LDAPMessage())
        number = int(message["messageID"])
        self._entries[number] += 1
        if self._limits.garbles_entries and len(raw) > 40:
            self._client.sendall(raw[:20] + bytes(len(raw) - 20))
        elif self._limits.hides_subtrees and _is_subtree_search(request):
            return
        elif self._shows(number):
            self._client.sendall(encoder.encode(self._limited(message, request)))

    def _changed_end(self, raw: bytes) -> bytes:
        message, _ = decoder.decode(raw, asn1Spec=LDAPMessage())
        number = int(message["messageID"])
        if not self._entries[number]:
            return raw
        self._change_result(message["protocolOp"]["searchResDone"], number)
        if self._limits.without_controls:
            message["controls"] = Controls()
        return bytes(encoder.encode(message))

    def _shows(self, number: int) -> bool:
        return not self._limits.hides_entries and not (
            self._limits.entries is not None and self._entries[number] > self._limits.entries
        )

    def _change_result(self, result: LDAPMessage, number: int) -> None:
        if self._limits.entries is not None and self._entries[number] > self._limits.entries:
            result["resultCode"] = ResultCode("sizeLimitExceeded")
        elif self._limits.result is not None and self._entries[number] > 1:
            result["resultCode"] = ResultCode(self._limits.result)

    def _limited(self, message: LDAPMessage, request: bytes) -> LDAPMessage:
        """The entry with at most so many values of ``member``, in the form of Active Directory."""
        limit = self._limits.values
        entry = message["protocolOp"]["searchResEntry"]
        attributes = PartialAttributeList()
        for attribute in entry["attributes"]:
            name, values = str(attribute["type"]), list(attribute["vals"])
            start = int(name[len("member;range=") :].partition("-")[0]) if name.startswith("member;range=") else 0
            if self._limits.breaks_ranges and b"member;range=" in request:
                continue
            if limit is not None and name.startswith("member") and len(values) > limit:
                if start == 0:
                    attributes.append(_attribute("member", []))
                attributes.append(_attribute(f"member;range={start}-{start + limit - 1}", values[:limit]))
            else:
                attributes.append(_attribute(name, values))
        entry["attributes"] = attributes
        return message


def _is_subtree_search(request: bytes) -> bool:
    """Whether the scope, which follows the base, is the whole subtree; pyasn1 cannot decode every filter of ldap3."""
    if _operation(request) != _SEARCH:
        return False
    number = _content(request, 0)
    operation = number + 2 + request[number + 1]
    base = _content(request, operation)
    scope = _content(request, base) + _length(request, base)
    return request[scope + 2] == _SUBTREE


def _length(message: bytes, at: int) -> int:
    """The length of the content of the element that begins there (X.690 section 8.1.3)."""
    size = message[at + 1] & 0x7F
    return int.from_bytes(message[at + 2 : at + 2 + size]) if message[at + 1] & 0x80 else size


def _content(message: bytes, at: int) -> int:
    """Where the content of the element begins."""
    return at + 2 + (message[at + 1] & 0x7F if message[at + 1] & 0x80 else 0)


def _attribute(name: str, values: list[object]) -> PartialAttribute:
    made = PartialAttribute()
    made["type"] = name
    made["vals"] = Vals()
    for value in values:
        made["vals"].append(value)
    return made


def _messages(source: ssl.SSLSocket) -> Iterator[bytes]:
    """Whole LDAP messages as they arrive."""
    waiting = b""
    while True:
        length = BaseStrategy.compute_ldap_message_size(waiting) if waiting else -1
        if 0 < length <= len(waiting):
            yield waiting[:length]
            waiting = waiting[length:]
            continue
        data = source.recv(65536)
        if not data:
            return
        waiting += data


def _operation(message: bytes) -> int:
    """The tag of the operation, which follows the message's length and number (RFC 4511 section 4.1.1)."""
    after_length = 2 + (message[1] & 0x7F if message[1] & 0x80 else 0)
    return message[after_length + 2 + message[after_length + 1]]
