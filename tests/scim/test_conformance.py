"""Conformance: every check of scim2-tester, over the whole server in process, on both databases."""

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import CheckResult, Status, check_server

from tests.scim.server import BASE, Server

GOOD = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
CHECKS = 130
"""scim2-tester 0.5 makes 135 checks of a server with users, groups and the enterprise extension."""


def verdict(results: list[CheckResult]) -> None:
    """All checks were made, none was skipped, and none found fault."""
    faults = [f"{each.title}: {each.status.name} {each.reason}" for each in results if each.status not in GOOD]

    assert not faults, "\n".join(faults)
    assert len(results) >= CHECKS


def test_scim2_tester_finds_no_fault(anywhere: Server) -> None:
    headers = {"Authorization": f"Bearer {anywhere.client().token}"}
    client = WSGISCIMClient(anywhere.app, base_url=BASE, headers=headers)

    verdict(check_server(client))
