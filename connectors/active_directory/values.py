"""Values as Active Directory stores them: GUID, SID, FILETIME, generalized time and userAccountControl."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

ACCOUNT_DISABLED: Final = 0x2
"""ADS_UF_ACCOUNTDISABLE, a bit of userAccountControl ([MS-ADTS] section 2.2.16)."""

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER: Final = frozenset(
    (0, 0x7FFFFFFFFFFFFFFF)
)  # both mean that an account does not expire ([MS-ADA1] accountExpires)


def guid_text(raw: bytes) -> str:
    """The canonical lower-case text of a GUID; the first three fields are stored little-endian. Raises ValueError."""
    return str(UUID(bytes_le=raw))


def guid_bytes(text: str) -> bytes:
    """The 16 bytes that Active Directory stores for this GUID. Raises ValueError."""
    return UUID(text).bytes_le


def is_guid(text: str) -> bool:
    """Whether the text is the canonical spelling of a GUID, as readers report it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def sid_text(raw: bytes) -> str:
    """The S-1-5-21-... form of a security identifier ([MS-DTYP] section 2.4.2)."""
    authority = int.from_bytes(raw[2:8], "big")
    parts = [int.from_bytes(raw[start : start + 4], "little") for start in range(8, 8 + 4 * raw[1], 4)]
    return "-".join(map(str, ("S", raw[0], authority, *parts)))


def relative_id(sid: str) -> int:
    """The last part of a SID, which primaryGroupID repeats."""
    return int(sid.rpartition("-")[2])


def from_filetime(ticks: int) -> datetime | None:
    """The moment of a FILETIME (100 ns since 1601), None for never and for what no calendar holds."""
    if ticks in _NEVER:
        return None
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def to_filetime(moment: datetime) -> int:
    """The FILETIME of an aware moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def from_generalized_time(text: str) -> datetime:
    """The moment of a text such as 20261121033857.0Z. Raises ValueError."""
    return datetime.strptime(text.partition(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def is_enabled(user_account_control: int, account_expires: int, now: datetime) -> bool:
    """Whether the person may sign in: neither disabled nor expired. A lockout is temporary and does not count."""
    if user_account_control & ACCOUNT_DISABLED:
        return False
    expiry = from_filetime(account_expires)
    return expiry is None or expiry > now
