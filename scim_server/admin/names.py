"""Names that administrators give to tenants and sources; they appear in URLs, logs and command lines."""

import re

from scim_server.admin.errors import Refused

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check_name(name: str) -> str:
    """The name, if it is usable; raises Refused saying what a name looks like."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{name!r} cannot be a name: use small letters, digits and hyphens, at most 63, and no hyphen in front"
        )
    return name
