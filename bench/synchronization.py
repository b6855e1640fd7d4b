"""What a synchronization costs: a domain controller is read, previewed and applied, beside a bare ldap3 read of it.

    python -m bench sync [--sizes 2000,20000]

Every size has a process of its own, so that the peak of its memory is its own, and a domain that is loaded once and
kept (20,000 people: several minutes). The reads of the same directory in the same run are what the numbers compare to.
"""

import argparse
import json
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from ldap3 import MODIFY_REPLACE, NONE, SUBTREE, Connection, Server, Tls

from connectors.active_directory.config import Config, parse_config
from connectors.active_directory.mapping import GROUP_ATTRIBUTES
from connectors.active_directory.queries import GROUPS, PEOPLE, user_attributes
from connectors.active_directory.reader import ActiveDirectoryReader
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import SourceKind, Sources
from scim_server.admin.tenants import Tenants
from scim_server.domain.observations import Page
from scim_server.domain.times import SystemClock
from scim_server.reconciler.apply import Apply
from scim_server.reconciler.preview import Preview
from scim_server.reconciler.runs import PlanRequest, RunSummary
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database
from scim_server.store.migration import upgrade
from tests.directories.samba import PASSWORD, ROOT, Domain, samba_template, started_domain

UNIT = f"OU=People,{ROOT}"
CHANGES = 20
_PAGE = 500


class TimedReader(ActiveDirectoryReader):
    """The reader, with the seconds that were spent in it."""

    seconds = 0.0

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """The pages of the reader."""
        pages = super().read(cursor, full=full)
        while True:
            started = time.perf_counter()
            page = next(pages, None)
            self.seconds += time.perf_counter() - started
            if page is None:
                return
            yield page

    def look_up(self, ids: Sequence[str]) -> Any:
        """The objects as the reader finds them."""
        started = time.perf_counter()
        found = super().look_up(ids)
        self.seconds += time.perf_counter() - started
        return found


@dataclass(frozen=True)
class Row:
    """One run: the objects it told, its seconds, those of them spent reading, and the peak of memory so far in MB."""

    name: str
    objects: int
    seconds: float
    reading: float
    memory: float
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Objects a second."""
        return self.objects / self.seconds

    @property
    def own_rate(self) -> float:
        """Objects a second without the reading."""
        return self.objects / max(self.seconds - self.reading, 1e-9)


class Installation:
    """A database with one source, the domain."""

    def __init__(self, folder: str, config: Config) -> None:
        url = f"sqlite:///{folder}/scim.db"
        upgrade(url)
        self.database = Database(url)
        self._config = config
        self._clock = SystemClock()
        self._tenant = Tenants(self.database, self._clock).ensure_default()[0].id
        sources = Sources(self.database, self._clock, Secrets(("k" * 32,)))
        self._source = sources.add(self._tenant, "corp", SourceKind.ACTIVE_DIRECTORY).id
        self._registry = SchemaRegistry.standard()

    def synchronize(self, name: str, expected: dict[str, int], *, full: bool = False) -> Row:
        """A preview and its confirmation; the counts must be these."""
        reader = TimedReader(self._config)
        started = time.perf_counter()
        plan = Preview(self.database, lambda _: self._registry, self._clock).run(
            PlanRequest(self._tenant, self._source, full=full), reader, _silent, _never
        )
        if plan.status != "ready":
            raise SystemExit(f"{name}: the plan is {plan.status}: {plan.reason} {plan.blocked}")
        run = Apply(self.database, lambda _: self._registry, self._clock).run(
            self._tenant, plan.id, plan.fingerprint, reader, _silent, _never
        )
        seconds = time.perf_counter() - started
        counts = _check(name, run, expected)
        objects = run.counts.read + run.group_counts.read
        return Row(name, objects, seconds, reader.seconds, _peak(), counts)


def _check(name: str, run: RunSummary, expected: dict[str, int]) -> dict[str, int]:
    told = {word: number for word, number in run.counts.as_dict().items() if number}
    if run.status != "applied" or any(told.get(word, 0) != number for word, number in expected.items()):
        raise SystemExit(f"{name}: {run.status} {told} instead of {expected}")
    return told


def _silent(_done: int, _total: int | None) -> None:
    return None


def _never() -> bool:
    return False


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_bare(domain: Domain, config: Config) -> Row:
    """The same people and groups, paged, with ldap3 as it is and the raw attributes."""
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(domain.controller.ca_file))
    server = Server(domain.controller.url, get_info=NONE, tls=tls)
    connection = Connection(
        server, config.bind_dn, config.password, auto_bind=True, raise_exceptions=True, auto_range=False,
        return_empty_attributes=False, check_names=False,
    )  # fmt: skip
    started = time.perf_counter()
    number = 0
    for query, attributes in ((PEOPLE, user_attributes(config)), (GROUPS, GROUP_ATTRIBUTES)):
        entries = connection.extend.standard.paged_search(
            UNIT, f"(&{query})", SUBTREE, attributes=list(attributes), paged_size=_PAGE, generator=True
        )
        number += sum(bool(entry["raw_attributes"]) for entry in entries)
    seconds = time.perf_counter() - started
    connection.unbind()
    return Row("bare paged ldap3 read", number, seconds, seconds, _peak())


def measure(size: int) -> Iterator[Row]:
    """Every run over a domain of so many people, and the bare read before and after."""
    with (
        started_domain(samba_template(people=size, groups=size // 100)) as domain,
        tempfile.TemporaryDirectory() as folder,
    ):
        config = parse_config(
            {
                "urls": domain.controller.url,
                "bind_dn": "ADTEST\\lister",
                "base_dns": UNIT,
                "ca_file": str(domain.controller.ca_file),
                "page_size": str(_PAGE),
            },
            {"password": PASSWORD},
        )
        yield read_bare(domain, config)
        place = Installation(folder, config)
        yield place.synchronize("first import", {"added": size})
        yield place.synchronize("full, nothing changed", {"unchanged": size, "modified": 0}, full=True)
        yield place.synchronize("incremental, nothing changed", {"modified": 0})
        for number in range(CHANGES):
            _retitle(domain, number * 17)
        yield place.synchronize(f"incremental, {CHANGES} changes", {"modified": CHANGES})
        yield read_bare(domain, config)
        place.database.close()


def _retitle(domain: Domain, number: int) -> None:
    domain.connection.modify(f"CN=person{number:06},{UNIT}", {"title": [(MODIFY_REPLACE, ["Retitled"])]})


def main(arguments: Sequence[str]) -> None:
    """Print one table for each size."""
    parser = argparse.ArgumentParser(prog="python -m bench sync", description=__doc__)
    parser.add_argument("--sizes", default="2000,20000")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        for row in measure(options.one):
            print(json.dumps(asdict(row)), flush=True)
        return
    peaks: dict[int, float] = {}
    for size in [int(text) for text in options.sizes.split(",")]:
        try:
            samba_template(people=size, groups=size // 100)
        except pytest.skip.Exception as missing:
            print(f"Synchronization is not measured: {missing}.")
            return
        peaks[size] = max(row.memory for row in _in_process(size, _show(size)))
    if len(peaks) > 1:
        print(f"\nmemory grows by {max(peaks.values()) - min(peaks.values()):.0f} MB from the smallest to the largest")


def _in_process(size: int, show: Callable[[Row], None]) -> Iterator[Row]:
    command = [sys.executable, "-m", "bench", "sync", "--one", str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            row = Row(**json.loads(line))
            show(row)
            yield row
    if process.returncode:
        raise SystemExit(f"the run over {size} people failed")


def _show(size: int) -> Callable[[Row], None]:
    print(f"\n{size:,} people, {size // 100} groups and one with everybody, on a Samba domain controller")
    print(f"{'run':34}{'objects':>8}{'s':>8}{'per s':>8}{'without reading':>17}{'peak MB':>9}")

    def show(row: Row) -> None:
        own = f"{row.own_rate:,.0f}/s" if row.seconds > row.reading and row.objects > CHANGES * 2 else ""
        print(f"{row.name:34}{row.objects:8}{row.seconds:8.2f}{row.rate:8,.0f}{own:>17}{row.memory:9.0f}", flush=True)

    return show
