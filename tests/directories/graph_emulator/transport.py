"""Two ways to the emulator: TLS on loopback, and a requests adapter without any socket."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from tests.directories.graph_emulator.emulator import GraphEmulator
from tests.directories.graph_emulator.wire import Answer, Request

ORIGIN = "https://graph.emulator.example"
"""Where the emulator lives for the adapter."""


class EmulatorAdapter(BaseAdapter):
    """Carries requests to the emulator by a function call."""

    def __init__(self, emulator: GraphEmulator) -> None:
        super().__init__()
        self._emulator = emulator

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        url = str(request.url)
        answer = self._emulator.answer(
            Request(str(request.method), url, headers, body.encode() if isinstance(body, str) else bytes(body))
        )
        if answer.transfer == "hang up":
            raise requests.ConnectionError("closed by the peer", request=request)
        if answer.transfer == "cut":
            raise requests.exceptions.ChunkedEncodingError("body cut", request=request)
        return _response(request, answer)

    def close(self) -> None:
        return None


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = BytesIO(answer.body)
    response.url = str(request.url)
    response.request = request
    response.reason = "emulated"
    return response


@contextmanager
def serve(emulator: GraphEmulator, directory: Path, address: str = "127.0.0.1") -> Iterator[tuple[str, str]]:
    """The emulator over TLS; yields its origin and the file with the certificate to trust."""
    chain = tls_certificate(address)
    file = directory / "emulator.pem"
    file.write_bytes(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = _Server((address, 0), _handler(emulator), context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield f"https://{address}:{server.server_address[1]}", str(file)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext
    ) -> None:
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # the handshake belongs to the connection's own thread: a client that never finishes it blocks nobody
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            return  # the client went away, or did not trust the certificate


def _handler(emulator: GraphEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            answer = emulator.answer(Request(self.command, f"https://{headers['host']}{self.path}", headers, body))
            if answer.transfer == "hang up":
                self.close_connection = True
                return
            missing = 100 if answer.transfer == "cut" else 0
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + missing))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = bool(missing)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            return None

    return Handler


@cache
def tls_certificate(address: str = "127.0.0.1") -> bytes:
    """Key and self-signed certificate of the emulator as PEM, made once for a test process."""
    return self_signed(ec.generate_private_key(ec.SECP256R1()), address)


def self_signed(key: CertificateIssuerPrivateKeyTypes, address: str = "127.0.0.1", days: int = 30) -> bytes:
    """Key and certificate as PEM; ``days`` is the rest of its life, negative for an expired one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "graph emulator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def settings_for(
    emulator: GraphEmulator, origin: str = ORIGIN, **more: str
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Values and secrets for ``parse_config`` that lead to the emulator."""
    values = {
        "tenant_id": emulator.tenant.id,
        "client_id": emulator.application.client_id,
        "authority": origin,
        "graph_root": origin,
        **more,
    }
    return values, {"client_secret": emulator.application.secret}
