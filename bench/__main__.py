"""What a request costs: CPU microseconds of the server process, beside a bare Flask answer on the same server.

    python -m bench [--sizes 1000,100000] [--requests 2000] [--database-url postgresql://.../bench{size}]
    python -m bench sync [--sizes 2000,20000]       what a synchronization costs, see bench/synchronization.py

Every answer is checked. The machine's speed drifts, so the ratio counts, to bare answers given just before and after.
Each size gets an SQLite file of its own, or the empty database of the URL, where ``{size}`` stands for the number of
users; what the database server uses is not counted.
"""

import argparse
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bench.population import Population, populate
from bench.servers import Server, serving

TYPE = "application/scim+json"


@dataclass(frozen=True)
class Call:
    """One request and the status it must get."""

    method: str
    path: str
    status: int
    body: object = None


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    microseconds: float
    per_second: float


def measure(server: Server, name: str, calls: Iterator[Call], number: int, token: str = "") -> Row:
    """Send ``number`` requests over one connection; the CPU time of the server is divided among them."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": TYPE}
    for _ in range(min(50, number // 10)):
        _send(connection, next(calls), headers)
    before, started = server.cpu_seconds(), time.perf_counter()
    for _ in range(number):
        _send(connection, next(calls), headers)
    seconds, used = time.perf_counter() - started, server.cpu_seconds() - before
    return Row(name, used / number * 1e6, number / seconds)


def _send(connection: http.client.HTTPConnection, call: Call, headers: dict[str, str]) -> None:
    body = None if call.body is None else json.dumps(call.body).encode()
    connection.request(call.method, call.path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != call.status:
        raise SystemExit(f"{call.method} {call.path}: {answer.status} instead of {call.status}: {text[:300]!r}")


def rows(server: Server, bare: Server, people: Population, number: int) -> Iterator[tuple[Row, Row]]:
    """Every operation of the table, each with the bare answer at the same time."""
    before = yardstick(bare, number)
    yield before, before
    for name, calls, share in people.operations():
        row = measure(server, name, _calls(calls), max(number // share, 20), people.token)
        after = yardstick(bare, number)
        yield row, replace(before, microseconds=(before.microseconds + after.microseconds) / 2)
        before = after


def yardstick(bare: Server, number: int) -> Row:
    """What the same server needs to answer with ready bytes."""
    paths = iter(lambda: Call("GET", "/scim/v2/Users/1", 200), None)
    return measure(bare, "bare Flask answer", paths, max(number // 2, 20))


def _calls(make: Callable[[int], tuple[str, str, int, object]]) -> Iterator[Call]:
    turn = 0
    while True:
        yield Call(*make(turn))
        turn += 1


def main() -> None:
    """Print one table for each population size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,100000")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--database-url", default="", help="an empty database; {size} stands for the number of users")
    options = parser.parse_args()
    for size in [int(text) for text in options.sizes.split(",")]:
        with tempfile.TemporaryDirectory() as folder:
            people = populate(folder, size, options.database_url.replace("{size}", str(size)))
            print(f"\n{size:,} users (loaded at {people.rate:,.0f}/s through the reconciler)")
            print(f"{'operation':44}{'CPU us':>9}{'x bare':>8}{'req/s':>8}")
            with serving("bench.flask_bare:app", {}) as bare, serving("wsgi:app", people.environment) as server:
                for row, beside in rows(server, bare, people, options.requests):
                    _show(row, beside)
                print(f"{'memory of the server, MB':44}{server.memory_mb():9.0f}")


def _show(row: Row, beside: Row) -> None:
    ratio = row.microseconds / beside.microseconds
    print(f"{row.name:44}{row.microseconds:9.0f}{ratio:8.2f}{row.per_second:8.0f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["sync"]:
        from bench import synchronization  # its domain controller is a fixture of the tests, which need more

        synchronization.main(sys.argv[2:])
    else:
        main()
