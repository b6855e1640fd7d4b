"""The domain controller that the contract tests of one process share."""

from tests.directories.samba import samba

__all__ = ["samba"]
