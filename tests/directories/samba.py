"""A real Active Directory domain controller (Samba) for the tests.

Provisioned once into a template below SCIM_TEST_CACHE (or the temporary directory), then copied and started in a
fraction of a second. Every test process has an address of its own below 127.0.0.0/8, because Samba's LDAP ports are
fixed. The controller ends with the test process: its standard input is a pipe, and it stops when that closes.
"""

import fcntl
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, NONE, Connection, Server, Tls
from ldap3.utils.dn import escape_rdn

from connectors.active_directory.values import guid_text
from tests.directories.certificates import Authority
from tests.services import service_missing

ROOT = "DC=ad,DC=example,DC=test"
PASSWORD = "Passw0rd!x9"
_TEMPLATE_VERSION = 2
_TREE_DELETE = "1.2.840.113556.1.4.805"
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TDB_NO_FSYNC": "1"}
_numbers = count(1)

_CONFIGURATION = """[global]
    netbios name = DC1
    realm = AD.EXAMPLE.TEST
    workgroup = ADTEST
    server role = active directory domain controller
    server services = ldap
    dcerpc endpoint servers =
    interfaces = {address}/8
    bind interfaces only = yes
    private dir = {home}/private
    state directory = {home}/state
    cache directory = {home}/cache
    lock directory = {home}/lock
    pid directory = {home}/run
    binddns dir = {home}/bind-dns
    ncalrpc dir = {home}/ncalrpc
    winbindd socket directory = {home}/winbindd
    ntp signd socket directory = {home}/ntp
    log file = {home}/log/%m.log
    logging = file
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
[sysvol]
    path = {home}/state/sysvol
    read only = no
[netlogon]
    path = {home}/state/sysvol/ad.example.test/scripts
    read only = no
"""


class DomainControllerProcess:
    """A Samba domain controller in a directory of its own."""

    def __init__(self, home: Path, address: str) -> None:
        self.home = home
        self.address = address
        self.url = f"ldaps://{address}"
        self.starttls_url = f"ldap://{address}"
        self._process: subprocess.Popen[bytes] | None = None
        (home / "smb.conf").write_text(_CONFIGURATION.format(home=home, address=address))
        self._tls = home / "private" / "tls"
        self._tls.mkdir(exist_ok=True)
        self.authority = Authority(self._tls)

    @property
    def ca_file(self) -> Path:
        return self.authority.ca_file

    def issue_certificate(self, *, expired: bool = False) -> None:
        """A new certificate; it counts from the next start on."""
        names = ("dc1.ad.example.test", "localhost")
        self.authority.issue(self._tls, addresses=(self.address, "127.0.0.1"), names=names, expired=expired)

    def start(self) -> None:
        """The controller answers on port 636."""
        with (self.home / "log" / "samba.out").open("wb") as log:
            self._process = subprocess.Popen(
                ["samba", "-i", "-M", "single", f"--configfile={self.home}/smb.conf", "--debug-stdout", "-d", "1"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**_ENVIRONMENT, "HOME": str(self.home)},
            )
        context = ssl._create_unverified_context()
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection((self.address, 636), 1) as plain, context.wrap_socket(plain):
                    return
            except OSError:
                time.sleep(0.03)  # nothing announces a started server; this is the start, not a test
        self.stop()
        pytest.fail(f"Samba did not start: {(self.home / 'log' / 'samba.out').read_text()[-2000:]}")

    def stop(self) -> None:
        """The controller is gone; its directory stays."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class Domain:
    """The administrator's hand on a running domain: what tests change in the directory."""

    def __init__(self, controller: DomainControllerProcess, *, verify: bool = True) -> None:
        self.controller = controller
        tls = Tls(validate=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE, ca_certs_file=str(controller.ca_file))
        server = Server(controller.url, get_info=NONE, tls=tls, connect_timeout=10)
        self.connection = Connection(
            server,
            "ADTEST\\administrator",
            PASSWORD,
            auto_range=False,
            return_empty_attributes=False,
            check_names=False,
            raise_exceptions=True,
            auto_bind=True,
            receive_timeout=60,
        )

    def close(self) -> None:
        self.connection.unbind()

    def add_unit(self, parent: str = ROOT, name: str | None = None) -> str:
        """A new organizational unit; its DN."""
        dn = f"OU={escape_rdn(name or f'unit{next(_numbers)}')},{parent}"
        self.connection.add(dn, "organizationalUnit")
        return dn

    def add_user(self, parent: str, name: str, **attributes: Any) -> str:
        """A new, enabled person; the GUID."""
        number = next(_numbers)
        dn = f"CN={escape_rdn(name)},{parent}"
        given = {"sAMAccountName": f"u{number}", "userAccountControl": 512, **attributes}
        self.connection.add(dn, "user", {key: value for key, value in given.items() if value is not None})
        return self.guid(dn)

    def add_group(self, parent: str, name: str, members: tuple[str, ...] = ()) -> str:
        """A new global group; the GUID."""
        dn = f"CN={escape_rdn(name)},{parent}"
        self.connection.add(dn, "group", {"sAMAccountName": f"g{next(_numbers)}"})
        guid = self.guid(dn)
        if members:
            self.connection.modify(dn, {"member": [(MODIFY_ADD, [self.dn(member) for member in members])]})
        return guid

    def set(self, guid: str, **attributes: Any) -> None:
        """Replace attributes; None or an empty list clears."""
        changes = {
            name: [(MODIFY_REPLACE, value if isinstance(value, list) else [] if value is None else [value])]
            for name, value in attributes.items()
        }
        self.connection.modify(self.dn(guid), changes)

    def add_member(self, group: str, member: str) -> None:
        self.connection.modify(self.dn(group), {"member": [(MODIFY_ADD, [self.dn(member)])]})

    def remove_member(self, group: str, member: str) -> None:
        self.connection.modify(self.dn(group), {"member": [(MODIFY_DELETE, [self.dn(member)])]})

    def rename(self, guid: str, name: str) -> None:
        self.connection.modify_dn(self.dn(guid), f"CN={escape_rdn(name)}")

    def move(self, guid: str, parent: str) -> None:
        dn = self.dn(guid)
        self.connection.modify_dn(dn, self._first_part(dn), new_superior=parent)

    def rename_unit(self, dn: str, name: str) -> None:
        self.connection.modify_dn(dn, f"OU={escape_rdn(name)}")

    def delete(self, guid: str) -> None:
        self.connection.delete(self.dn(guid))

    def delete_tree(self, dn: str) -> None:
        """The object and everything below it is gone."""
        self.connection.delete(dn, controls=[(_TREE_DELETE, True, None)])

    def dn(self, guid: str) -> str:
        """Where the object lies now."""
        self.connection.search(f"<GUID={guid}>", "(objectClass=*)", BASE, attributes=["objectGUID"])
        return str(self.connection.response[0]["raw_dn"].decode())

    def guid(self, dn: str) -> str:
        self.connection.search(dn, "(objectClass=*)", BASE, attributes=["objectGUID"])
        return guid_text(self.connection.response[0]["raw_attributes"]["objectGUID"][0])

    def number(self, guid: str, attribute: str) -> int:
        """A whole number of the object."""
        self.connection.search(f"<GUID={guid}>", "(objectClass=*)", BASE, attributes=[attribute])
        return int(self.connection.response[0]["raw_attributes"][attribute][0])

    def relative_id(self, guid: str) -> int:
        """The last part of the object's SID."""
        self.connection.search(f"<GUID={guid}>", "(objectClass=*)", BASE, attributes=["objectSid"])
        raw = self.connection.response[0]["raw_attributes"]["objectSid"][0]
        return int.from_bytes(raw[-4:], "little")

    def _first_part(self, dn: str) -> str:
        end = next(i for i, char in enumerate(dn) if char == "," and dn[i - 1] != "\\")
        return dn[:end]


def cache_directory() -> Path:
    """Where templates are kept between runs."""
    default = Path(tempfile.gettempdir()) / f"scim-server-tests-{os.getuid()}"
    path = Path(os.environ.get("SCIM_TEST_CACHE", default))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """One process at a time is inside."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def samba_template(*, people: int = 0, groups: int = 0) -> Path:
    """The directory of a provisioned, stopped domain; made at the first call on a machine.

    With ``people`` it is filled: everybody and the groups lie in OU=People (see tests/directories/population.py).
    """
    for program in ("samba", "samba-tool"):
        if shutil.which(program, path=_ENVIRONMENT["PATH"]) is None:
            service_missing(f"{program} is not installed (Debian: samba samba-ad-provision samba-vfs-modules)")
    if os.geteuid() != 0:
        service_missing("provisioning and port 636 need root")
    home = cache_directory() / (f"ad{_TEMPLATE_VERSION}" + (f"-{people}-{groups}" if people else ""))
    done = home / "done"
    with exclusively(home.with_suffix(".lock")):
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            if people:
                _populate(home, people, groups)
            else:
                _provision(home)
            done.touch()
    return home


def _populate(home: Path, people: int, groups: int) -> None:
    subprocess.run(["cp", "-a", samba_template(), home], check=True)
    (home / "done").unlink()
    configuration = home / "smb.conf"
    configuration.write_text(_CONFIGURATION.format(home=home, address="127.0.0.5"))
    script = Path(__file__).with_name("population.py")
    _run(home, "/usr/bin/python3", "-I", script, configuration, people, groups, seconds=1800)


def _provision(home: Path) -> None:
    for name in ("private", "state", "cache", "lock", "run", "bind-dns", "ncalrpc", "log"):
        (home / name).mkdir(parents=True)
    configuration = home / "smb.conf"
    configuration.write_text(_CONFIGURATION.format(home=home, address="127.0.0.5"))
    _run(
        home,
        *("samba-tool", "domain", "provision", "-s", configuration, "--realm=AD.EXAMPLE.TEST", "--domain=ADTEST"),
        *("--host-name=dc1", "--host-ip=127.0.0.5", f"--adminpass={PASSWORD}", "--server-role=dc"),
        "--dns-backend=NONE",
    )
    accounts = Path(__file__).with_name("samba_accounts.py")
    _run(home, "/usr/bin/python3", "-I", accounts, configuration, PASSWORD)


def _run(home: Path, *command: object, seconds: int = 300) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env={**_ENVIRONMENT, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def started_domain(template: Path, *, expired_certificate: bool = False) -> Iterator[Domain]:
    """A running copy of the template on an address of its own."""
    home = Path(tempfile.mkdtemp(prefix="scim-ad-"))  # short: Samba's sockets lie below it
    controller = None
    try:
        subprocess.run(["cp", "-a", f"{template}/.", home], check=True)  # keeps the extended attributes
        (home / "done").unlink(missing_ok=True)
        controller = DomainControllerProcess(home, own_address())
        controller.issue_certificate(expired=expired_certificate)
        controller.start()
        domain = Domain(controller, verify=not expired_certificate)
        yield domain
        domain.close()
    finally:
        if controller:
            controller.stop()
        shutil.rmtree(home, ignore_errors=True)


def own_address() -> str:
    """A loopback address that no other living process of these tests uses."""
    pid = os.getpid()
    return f"127.{64 + next(_numbers) % 128}.{pid >> 8 & 255}.{1 + pid % 254}"


@pytest.fixture(scope="session")
def samba() -> Iterator[Domain]:
    """A domain that the tests of this process share; each keeps to organizational units of its own."""
    with started_domain(samba_template()) as domain:
        yield domain
