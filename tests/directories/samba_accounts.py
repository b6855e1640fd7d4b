"""Create the service accounts of the tests in a stopped Samba domain; runs under the system's Python, which has Samba.

Arguments: the smb.conf, the password of the accounts. ``ordinary`` has no special right, ``lister`` may list the
Deleted Objects container, ``dirsync`` has Replicating Directory Changes and, because Samba hides deletions from
DirSync otherwise (since the fix of CVE-2023-4154), may list that container too.
"""

import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

GET_CHANGES = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2"


def grant(samdb, dn, ace):
    """Append the ACE, in SDDL, to the object's DACL."""
    controls = ["show_deleted:1", "sd_flags:1:4"]
    found = samdb.search(dn, ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=controls)
    descriptor = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])
    domain = security.dom_sid(samdb.get_domain_sid())
    for entry in security.descriptor.from_sddl(f"D:{ace}", domain).dacl.aces:
        descriptor.dacl_add(entry)
    change = ldb.Message(ldb.Dn(samdb, dn))
    change["sd"] = ldb.MessageElement(ndr_pack(descriptor), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor")
    samdb.modify(change, controls)


def main(configuration, password):
    lp = LoadParm()
    lp.load(configuration)
    samdb = SamDB(lp=lp, session_info=system_session())
    root = str(samdb.domain_dn())
    sids = {}
    for name in ("ordinary", "lister", "dirsync"):
        samdb.newuser(name, password)
        row = samdb.search(root, expression=f"(sAMAccountName={name})", attrs=["objectSid"])[0]
        sids[name] = ndr_unpack(security.dom_sid, row["objectSid"][0])
    for name in ("lister", "dirsync"):
        grant(samdb, f"CN=Deleted Objects,{root}", f"(A;;LCRP;;;{sids[name]})")
    grant(samdb, root, f"(OA;;CR;{GET_CHANGES};;{sids['dirsync']})")


if __name__ == "__main__":
    main(*sys.argv[1:])
