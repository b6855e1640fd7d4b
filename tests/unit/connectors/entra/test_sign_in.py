"""Signing in with a secret or a certificate; every refusal says what to do."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from connectors.entra.auth import roles_of
from connectors.entra.config import parse_config
from connectors.entra.credentials import load_certificate
from connectors.entra.errors import EntraFailed, SignInFailed, sign_in_failed, without_trace
from connectors.entra.reader import EntraReader
from scim_server.domain.observations import End, ReadFailed
from tests.directories.graph_emulator import EmulatorAdapter, GraphEmulator, serve, settings_for
from tests.directories.graph_emulator.emulator import PROXY_PAGE, UNAVAILABLE
from tests.directories.graph_emulator.fixtures import AT_ONCE, reader_of
from tests.directories.graph_emulator.sign_in import ERRORS
from tests.directories.graph_emulator.transport import self_signed
from tests.directories.graph_emulator.wire import graph_error

TOKEN = "/oauth2/v2.0/token"


@pytest.fixture(scope="module")
def pem() -> bytes:
    """An RSA key with its certificate, as openssl writes it."""
    return self_signed(rsa.generate_private_key(65537, 2048))


def reader_with_certificate(emulator: GraphEmulator, path: Path, passphrase: str = "") -> EntraReader:
    values, _ = settings_for(emulator, certificate_path=str(path))
    config = parse_config(values, {"certificate_passphrase": passphrase})
    return EntraReader(config, patience=AT_ONCE, adapter=EmulatorAdapter(emulator))


def test_one_token_serves_a_whole_read(emulator: GraphEmulator) -> None:
    emulator.tenant.add_user("ann")
    list(reader_of(emulator).read(None))
    assert emulator.sign_in.issued == 1
    assert len(emulator.asked("/v1.0/")) > 3


def test_nobody_is_asked_but_the_configured_authority(emulator: GraphEmulator) -> None:
    reader = reader_of(emulator)
    emulator.application.secret = "changed"
    with pytest.raises(SignInFailed):
        list(reader.read(None))
    assert all("/common/" not in request.url for request in emulator.requests)
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("code", [code for code in ERRORS if code != 90002])
def test_every_refusal_is_named_and_comes_with_advice(emulator: GraphEmulator, code: int) -> None:
    emulator.application.refused_with = code
    with pytest.raises(SignInFailed, match=f"AADSTS{code}") as caught:
        list(reader_of(emulator).read(None))
    assert caught.value.code == code
    assert len(caught.value.remedy) > 20
    assert "Search for" not in caught.value.remedy
    assert "Trace ID" not in caught.value.text
    assert "trace id" in caught.value.text


def test_an_unknown_tenant_is_told_although_msal_hides_the_answer(emulator: GraphEmulator) -> None:
    emulator.sign_in.tenant_names = {"another"}
    with pytest.raises(SignInFailed, match="AADSTS90002") as caught:
        list(reader_of(emulator).read(None))
    assert "check tenant_id" in caught.value.remedy


@pytest.mark.parametrize("answer", [UNAVAILABLE, PROXY_PAGE])
def test_a_disturbed_sign_in_service_is_asked_again(emulator: GraphEmulator, answer: object) -> None:
    emulator.break_next("openid-configuration", answer, times=2)  # type: ignore[arg-type]  # parametrized
    emulator.break_next(TOKEN, answer, times=2)  # type: ignore[arg-type]  # parametrized
    assert list(reader_of(emulator).read(None))[-1].end is not None


def test_a_token_that_expires_in_the_middle_is_renewed_and_nothing_is_lost(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    people = {emulator.tenant.add_user() for _ in range(4)}
    seen = set()
    for number, page in enumerate(reader_of(emulator).read(None)):
        seen |= {observation.immutable_id for observation in page.observations}
        if number == 2:
            emulator.sign_in.expire_tokens()
    assert page.end is not None
    assert (page.end.end, seen) == (End.COMPLETE, people)
    assert emulator.sign_in.issued == 2


def test_a_revoked_token_is_replaced(emulator: GraphEmulator) -> None:
    challenge = 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    answer = graph_error(401, "InvalidAuthenticationToken", "Continuous access evaluation.")
    revoked = replace(answer, headers={**answer.headers, "WWW-Authenticate": challenge})
    emulator.break_next("/v1.0/users/delta", revoked)
    assert list(reader_of(emulator).read(None))[-1].end is not None
    assert emulator.sign_in.issued == 2


def test_a_token_that_is_never_accepted_ends_the_read(emulator: GraphEmulator) -> None:
    emulator.break_next("/v1.0/", graph_error(401, "InvalidAuthenticationToken", "Invalid audience."), times=100)
    with pytest.raises(ReadFailed, match="the cloud matches the tenant"):
        list(reader_of(emulator).read(None))
    assert len(emulator.asked("/v1.0/")) == 2


def test_a_certificate_signs_in(emulator: GraphEmulator, pem: bytes, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(pem)
    emulator.application.certificate = x509.load_pem_x509_certificate(pem)
    assert list(reader_with_certificate(emulator, path).read(None))[-1].end is not None


def test_a_protected_pfx_signs_in_with_its_passphrase(emulator: GraphEmulator, pem: bytes, tmp_path: Path) -> None:
    path = tmp_path / "app.pfx"
    path.write_bytes(pfx(pem, b"open sesame"))
    emulator.application.certificate = x509.load_pem_x509_certificate(pem)
    assert list(reader_with_certificate(emulator, path, "open sesame").read(None))[-1].end is not None
    with pytest.raises(ReadFailed, match="passphrase"):
        list(reader_with_certificate(emulator, path, "wrong").read(None))


def test_a_certificate_unknown_to_the_application_is_told_with_advice(
    emulator: GraphEmulator, pem: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(pem)
    with pytest.raises(SignInFailed, match="AADSTS700027") as caught:
        list(reader_with_certificate(emulator, path).read(None))
    assert "thumbprint" in caught.value.remedy


def test_the_thumbprint_is_the_one_the_admin_center_shows(pem: bytes, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(pem)
    thumbprint = load_certificate(str(path)).thumbprint
    assert len(thumbprint) == 40
    assert thumbprint == thumbprint.upper()
    assert thumbprint in repr(load_certificate(str(path)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda pem: b"not a certificate", "cannot be opened"),
        (lambda pem: self_signed(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        (
            lambda pem: (
                self_signed(rsa.generate_private_key(65537, 2048)).partition(b"-----BEGIN CERT")[0]
                + b"".join(pem.partition(b"-----BEGIN CERT")[1:])
            ),
            "does not belong",
        ),
        (lambda pem: pem.partition(b"-----BEGIN CERT")[0], "cannot be opened"),
    ],
    ids=["garbage", "elliptic curve", "key of another", "key alone"],
)
def test_an_unusable_certificate_is_refused_before_any_call(
    pem: bytes, tmp_path: Path, make: Callable[[bytes], bytes], words: str
) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(make(pem))
    with pytest.raises(EntraFailed, match=words):
        load_certificate(str(path))


def test_a_missing_certificate_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EntraFailed, match="cannot be read"):
        load_certificate(str(tmp_path / "none.pem"))


def test_no_log_holds_a_secret_a_token_or_an_answer(emulator: GraphEmulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reader = reader_of(emulator)
    list(reader.read(None))
    emulator.break_next(TOKEN, PROXY_PAGE, times=100)
    emulator.sign_in.expire_tokens()
    with pytest.raises(ReadFailed):
        list(reader.read(None))
    logged = caplog.text
    assert emulator.application.secret not in logged
    assert "eyJ" not in logged
    assert "Please sign in" not in logged
    assert not [record for record in caplog.records if record.name.startswith("msal")]


def test_no_log_holds_a_url_with_names_or_delta_tokens(
    emulator: GraphEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(emulator, tmp_path) as (origin, ca_file):
        reader = EntraReader(parse_config(*settings_for(emulator, origin, ca_file=ca_file)), patience=AT_ONCE)
        list(reader.read(list(reader.read(None))[-1].end.cursor))  # type: ignore[union-attr]  # the last page has it
        reader.find("ann@example.test")
    assert "deltatoken" not in caplog.text
    assert "ann" not in caplog.text


def test_what_a_description_echoes_is_not_shown() -> None:
    assertion = "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9." + "A" * 300
    told = without_trace(f"AADSTS50027: JWT token is invalid: {assertion}\r\nTrace ID: 1-2 Timestamp: now")
    assert told == "AADSTS50027: JWT token is invalid: …"


def test_a_refusal_without_numbers_is_still_told() -> None:
    assert "slow_down" in sign_in_failed({"error": "slow_down", "error_description": "Wait."}).text
    assert sign_in_failed({"error_description": "AADSTS7000215: Invalid."}).code == 7000215


def test_roles_are_read_from_a_token_and_from_nothing_else() -> None:
    assert roles_of("eyJ9.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl19.x") == frozenset(("User.Read.All",))
    assert roles_of("eyJ9.e30.x") == frozenset()
    assert roles_of("opaque") is roles_of("a.b.c") is roles_of("") is None


def pfx(pem: bytes, passphrase: bytes) -> bytes:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(pem)
    return pkcs12.serialize_key_and_certificates(b"app", key, certificate, None, BestAvailableEncryption(passphrase))


def test_an_encrypted_pem_opens_with_its_passphrase(pem: bytes, tmp_path: Path) -> None:
    key = load_pem_private_key(pem, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    path = tmp_path / "app.pem"
    path.write_bytes(locked + b"".join(pem.partition(b"-----BEGIN CERT")[1:]))
    assert load_certificate(str(path), "open sesame").private_key.startswith("-----BEGIN PRIVATE KEY")
    with pytest.raises(EntraFailed, match="cannot be opened"):
        load_certificate(str(path))
