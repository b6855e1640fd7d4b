"""The server in a process of its own, over HTTP: conformance, and what only a network can do to it."""

import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

from tests.cli.test_serve import Server as ServerProcess
from tests.scim.house import ERROR, GROUP, PATCH_OP, USER
from tests.scim.test_conformance import verdict


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    """A running server after its first start, and the token it has shown."""
    with ServerProcess(tmp_path_factory.mktemp("served")) as running:
        assert running.get("/readyz").status_code == 200
        yield running, re.findall(r"scim_\S{43}", running.lines(2))[0]


@pytest.fixture
def http(process: tuple[ServerProcess, str]) -> Iterator[httpx2.Client]:
    """A client that keeps its connections."""
    running, token = process
    base = f"http://127.0.0.1:{running.port}/scim/v2"
    with httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        yield client


def test_scim2_tester_finds_no_fault_over_http(http: httpx2.Client) -> None:
    verdict(check_server(SyncSCIMClient(http)))


def test_the_address_of_a_resource_leads_to_it(http: httpx2.Client) -> None:
    made = http.post("/Users", json={"schemas": [USER], "userName": "by-address@fabrikam.test"})
    read = http.get(made.headers["Location"])

    assert read.json() == made.json()
    assert read.headers["ETag"] == made.json()["meta"]["version"]
    assert http.get(made.headers["Location"], headers={"If-None-Match": read.headers["ETag"]}).status_code == 304


def test_a_body_in_chunks_is_read(http: httpx2.Client) -> None:
    chunks = iter([b'{"schemas":["', USER.encode(), b'"],"userName":"chunks', b'@fabrikam.test"}'])
    answer = http.post("/Users", content=chunks, headers={"Content-Type": "application/scim+json"})

    assert answer.status_code == 201
    assert answer.json()["userName"] == "chunks@fabrikam.test"


def test_a_body_in_chunks_without_end_is_refused(http: httpx2.Client) -> None:
    chunks = (b"x" * 65_536 for _ in range(64))
    answer = http.post("/Users", content=chunks, headers={"Content-Type": "application/scim+json"})

    assert answer.status_code == 413
    assert answer.json()["schemas"] == [ERROR]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
        b"GET /scim/v2/Users/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /scim/v2/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\nConnection: close\r\n\r\n",
        b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
        b"GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 500_000 + b"\r\nConnection: close\r\n\r\n",
        b"BREW /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["token", "nul", "path", "length", "negative", "header", "method", "tls"],
)
def test_a_malformed_request_is_refused_and_the_server_goes_on(
    process: tuple[ServerProcess, str], http: httpx2.Client, raw: bytes
) -> None:
    running, _ = process
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65_536)
        except OSError:  # reset, or no longer connected, before everything was sent
            answer = b""  # refused without a word

    assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d", answer)
    assert http.get("/Users?count=1").status_code == 200


def test_of_many_who_want_one_name_at_once_one_gets_it(http: httpx2.Client) -> None:
    def create(number: int) -> int:
        body = {"schemas": [USER], "userName": "Wanted@fabrikam.test", "externalId": f"w{number}"}
        return http.post("/Users", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(create, range(40)))

    assert answers == {201: 1, 409: 39}
    assert http.get('/Users?filter=userName eq "wanted@fabrikam.test"').json()["totalResults"] == 1


def test_members_added_at_once_are_all_there(http: httpx2.Client) -> None:
    group = http.post("/Groups", json={"schemas": [GROUP], "displayName": "All at once"}).json()["id"]

    def join(number: int) -> int:
        user = http.post("/Users", json={"schemas": [USER], "userName": f"joins{number}@fabrikam.test"}).json()["id"]
        operation = {"op": "Add", "path": "members", "value": [{"value": user}]}
        return http.patch(f"/Groups/{group}", json={"schemas": [PATCH_OP], "Operations": [operation]}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(join, range(30)))

    assert answers == {204}
    assert len(http.get(f"/Groups/{group}").json()["members"]) == 30


def test_a_reader_never_sees_half_a_change(http: httpx2.Client) -> None:
    user = http.post("/Users", json={"schemas": [USER], "userName": "halves@fabrikam.test", "title": "0"}).json()["id"]
    pairs: list[tuple[str, str]] = []

    def write(number: int) -> None:
        operations = [{"op": "replace", "path": path, "value": str(number)} for path in ("title", "nickName")]
        http.patch(f"/Users/{user}", json={"schemas": [PATCH_OP], "Operations": operations})

    def read(_: int) -> None:
        seen = http.get(f"/Users/{user}").json()
        pairs.append((seen.get("title", ""), seen.get("nickName", "0")))

    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            pool.submit(write, number)
            pool.submit(read, number)

    assert len(pairs) == 20
    assert all(title == nick for title, nick in pairs)
