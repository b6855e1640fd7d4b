"""The certificate that proves who the application is, checked before it is used."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from connectors.entra.config import Config
from connectors.entra.errors import EntraFailed

_PFX_SUFFIXES = (".pfx", ".p12")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key pair as msal takes it; ``thumbprint`` is spelled as the Entra admin center shows it."""

    private_key: str
    public_certificate: str
    thumbprint: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Certificate({self.thumbprint})"


def load_certificate(path: str, passphrase: str = "") -> Certificate:
    """The certificate and its private key from a PEM file holding both, or from a PFX file.

    Raises EntraFailed when the file cannot be read or opened, is not RSA (Entra refuses other keys for this flow), or
    holds a key of another certificate, which otherwise only Entra would notice (AADSTS700027).
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise EntraFailed(
            f"The certificate file cannot be read: {error.strerror}.", "Check certificate_path."
        ) from error
    password = passphrase.encode() or None
    try:
        key, certificate = (
            _from_pfx(content, password) if path.lower().endswith(_PFX_SUFFIXES) else _from_pem(content, password)
        )
    except (ValueError, TypeError) as error:
        raise EntraFailed(
            "The certificate file cannot be opened.",
            "It must be PEM (certificate and private key in one file) or PFX, and fit the passphrase.",
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise EntraFailed(
            "The certificate has no RSA key.", "Entra ID accepts RSA keys only: create such a certificate."
        )
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise EntraFailed("The private key does not belong to the certificate.", "Export both together again.")
    return Certificate(
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        public_certificate=certificate.public_bytes(Encoding.PEM).decode(),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - the portal shows SHA-1
        expires_at=certificate.not_valid_after_utc,
    )


def credential_of(config: Config) -> str | dict[str, str]:
    """The secret, or the certificate as msal takes it (then assertions are signed with PS256). Raises EntraFailed."""
    if not config.certificate_path:
        return config.client_secret
    certificate = load_certificate(config.certificate_path, config.certificate_passphrase)
    return {"private_key": certificate.private_key, "public_certificate": certificate.public_certificate}


def _from_pem(content: bytes, password: bytes | None) -> tuple[object, x509.Certificate]:
    # a passphrase for a key that has none is a TypeError
    encrypted = b"ENCRYPTED" in content
    return load_pem_private_key(content, password if encrypted else None), x509.load_pem_x509_certificate(content)


def _from_pfx(content: bytes, password: bytes | None) -> tuple[object, x509.Certificate]:
    key, certificate, _chain = pkcs12.load_key_and_certificates(content, password)
    if certificate is None:
        raise ValueError("no certificate inside")
    return key, certificate


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # of the kinds of keys only some have it
    return encoded
