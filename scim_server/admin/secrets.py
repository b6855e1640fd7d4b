"""Secrets at rest: sealed with keys that never lie in the database."""

import base64
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from scim_server.admin.errors import Refused


class Secrets:
    """Seals and opens with keys derived from the secret keys of the server: the first seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one secret key is needed")
        self._keys = tuple(keys)
        self._fernet = self.fernet("source secrets")

    def fernet(self, purpose: str) -> MultiFernet:
        """A Fernet of its own for each purpose: what is sealed for one cannot be opened as another."""
        return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, purpose))) for key in self._keys])

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this server knows, from the newest key."""
        return _derive(self._keys[0], purpose)

    def seal(self, values: Mapping[str, str]) -> str:
        """The values as text that only ``open`` of the same keys reads; "" for none."""
        return self._fernet.encrypt(orjson.dumps(dict(values))).decode() if values else ""

    def open(self, sealed: str) -> dict[str, str]:
        """The values that were sealed. Raises Refused where no key of the server fits."""
        if not sealed:
            return {}
        try:
            opened: dict[str, str] = orjson.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise Refused(
                "a stored password was sealed with another key: start the server with the SCIM_SERVER_SECRET_KEY it "
                "was stored under, or set the password again"
            ) from error
        return opened


def keys_from_file(path: Path) -> tuple[str, ...]:
    """The keys in the file, the newest first; a file with a new key is made, readable by its owner alone, if missing.

    Several processes may start at once: the file appears complete and all of them read the same key.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        _create_key_file(path)
        text = path.read_text()
    keys = tuple(text.split())
    if not keys or any(len(key) < 32 for key in keys):
        raise Refused(f"{path} holds no usable key: every key must have at least 32 characters")
    return keys


def _create_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mode 600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # fails where another process was first, and never shows half a file
        except FileExistsError:
            return
    finally:
        os.unlink(temporary)


def _derive(key: str, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"scim-server {purpose}".encode()).derive(key.encode())
