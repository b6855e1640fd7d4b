"""Fill a stopped Samba domain with people; runs under the system's Python, which has Samba.

Arguments: the smb.conf, how many people, how many groups. People carry about twenty attributes and no password, the
first group has everybody as member, the others ten people each. Loading 5,000 people takes a quarter of a minute, and
20,000 four minutes (the cost grows faster than the count): load once and keep the template.
"""

import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

_BATCH = 100


def person(root, number):
    """The entry of one person; every tenth has a manager, every hundredth is disabled."""
    name = f"person{number:06d}"
    entry = {
        "dn": f"CN={name},OU=People,{root}",
        "objectClass": "user",
        "sAMAccountName": name,
        "userPrincipalName": f"{name}@ad.example.test",
        "userAccountControl": "514" if number % 100 == 99 else "512",
        "givenName": f"Given{number}",
        "sn": f"Family{number % 977}",
        "displayName": f"Given{number} Family{number % 977}",
        "mail": f"{name}@example.test",
        "proxyAddresses": [f"SMTP:{name}@example.test", f"smtp:alias{number}@example.test"],
        "telephoneNumber": f"+49 30 {number}",
        "mobile": f"+49 170 {number}",
        "title": ("Engineer", "Director", "Analyst")[number % 3],
        "department": f"Department {number % 40}",
        "employeeID": str(number),
        "physicalDeliveryOfficeName": f"Room {number % 300}",
        "company": "Example",
        "l": "Berlin",
        "postalCode": "10115",
        "streetAddress": f"Street {number % 500}",
        "description": "Loaded for measurements",
    }
    if number % 10 and number > 10:
        entry["manager"] = f"CN=person{number - number % 10:06d},OU=People,{root}"
    return entry


def in_batches(samdb, actions):
    """Run the actions in transactions of moderate size."""
    samdb.transaction_start()
    for number, action in enumerate(actions, 1):
        action()
        if number % _BATCH == 0:
            samdb.transaction_commit()
            samdb.transaction_start()
    samdb.transaction_commit()


def add_group(samdb, root, name, numbers):
    """A group with these people as members."""
    samdb.add({"dn": f"CN={name},OU=People,{root}", "objectClass": "group", "sAMAccountName": name})
    change = ldb.Message(ldb.Dn(samdb, f"CN={name},OU=People,{root}"))
    members = [f"CN=person{number:06d},OU=People,{root}" for number in numbers]
    change["member"] = ldb.MessageElement(members, ldb.FLAG_MOD_ADD, "member")
    samdb.modify(change)


def main(configuration, people, groups):
    lp = LoadParm()
    lp.load(configuration)
    samdb = SamDB(lp=lp, session_info=system_session())
    root = str(samdb.domain_dn())
    samdb.add({"dn": f"OU=People,{root}", "objectClass": "organizationalUnit"})
    in_batches(samdb, (lambda number=number: samdb.add(person(root, number)) for number in range(people)))
    add_group(samdb, root, "everybody", range(people))
    in_batches(
        samdb,
        (
            lambda number=number: add_group(
                samdb, root, f"team{number:05d}", sorted({(number * 7 + step * 13) % people for step in range(10)})
            )
            for number in range(groups)
        ),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
