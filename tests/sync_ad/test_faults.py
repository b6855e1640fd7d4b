"""A directory that fails: a clear message, nobody deactivated or deleted, and the next good run heals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from connectors.active_directory.reader import ActiveDirectoryReader
from scim_server.domain.errors import Blocked
from scim_server.domain.observations import Observation, Page
from tests.contract.test_active_directory import config
from tests.directories.limits import LimitedController, Limits
from tests.directories.proxy import Proxy
from tests.directories.samba import PASSWORD, Domain
from tests.sync.world import numbers
from tests.sync_ad.office import Office

STAFF = 25
"""More than fit into one page, and few enough for one leaver to be no mass removal."""


class InterruptedReading:
    """A directory whose line is cut once the first page of a read has arrived."""

    def __init__(self, office: Office, proxy: Proxy) -> None:
        self._settings = config(office.domain, office.unit, urls=proxy.url, page_size="10")
        self._now = office.clock.now
        self._proxy = proxy

    def reader(self) -> "InterruptedReader":
        return InterruptedReader(ActiveDirectoryReader(self._settings, now=self._now), self._proxy)


class InterruptedReader:
    """The reader itself; only the moment of the cut is chosen here."""

    def __init__(self, reader: ActiveDirectoryReader, proxy: Proxy) -> None:
        self._reader = reader
        self._proxy = proxy

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        pages = self._reader.read(cursor, full=full)
        yield next(pages)
        self._proxy.cut_after(1000)
        yield from pages

    def look_up(self, ids: Sequence[str]) -> Mapping[str, Observation]:
        return self._reader.look_up(ids)


@pytest.fixture
def staffed(sqlite_office: Office) -> Office:
    """An office whose people were imported; since then one has left and one has come."""
    people = sqlite_office.hire_staff(STAFF)
    sqlite_office.domain.add_group(sqlite_office.unit, "team", tuple(people))
    assert numbers(sqlite_office.sync()) == {"added": STAFF}
    sqlite_office.domain.delete(people[0])
    sqlite_office.hire("newcomer")
    return sqlite_office


@contextmanager
def nothing_changes(office: Office) -> Iterator[None]:
    """Users, groups and the register of duplicates are as before."""

    def state() -> list[object]:
        return [office.users(), office.members("team"), office.duplicates(), office.rows("claims")]

    before = state()
    yield
    assert state() == before


def heals(office: Office) -> None:
    """The next good run does all that was missed, and then nothing is left to do."""
    office.connect()
    assert office.changes() == {"added": 1, "deleted": 1}
    assert len(office.active()) == STAFF
    assert numbers(office.preview(full=True)) == {}


def fails(office: Office, *words: str) -> None:
    """Previews fail, whether of the changes or of everything, and say why without a secret."""
    for full in (False, True):
        with nothing_changes(office):
            plan = office.preview(full=full)
        assert plan.status == "failed"
        assert not plan.fingerprint
        assert all(word in plan.reason for word in words), plan.reason
        assert PASSWORD not in plan.reason


def test_down_at_connect(staffed: Office) -> None:
    proxy = Proxy(staffed.domain.controller.address, 636)
    proxy.close()
    staffed.connect(urls=proxy.url)
    fails(staffed, proxy.url, "nobody listens")
    heals(staffed)


def test_ldap_down_mid_page(staffed: Office) -> None:
    """What arrived may be applied; that somebody did not arrive proves nothing."""
    proxy = Proxy(staffed.domain.controller.address, 636)
    plan = staffed.preview(full=True, directory=InterruptedReading(staffed, proxy))
    assert (plan.status, plan.complete) == ("ready", False)
    assert "cut" in plan.reason
    assert 0 < plan.counts.read < STAFF
    counts = numbers(staffed.apply(plan))
    assert counts in ({}, {"added": 1})
    assert len(staffed.active()) == STAFF + len(counts)
    staffed.connect()
    assert staffed.changes() == {"deleted": 1} | ({} if counts else {"added": 1})
    proxy.close()


def test_a_line_that_stalls_is_given_up(staffed: Office) -> None:
    proxy = Proxy(staffed.domain.controller.address, 636)
    proxy.stall_after(3000)
    staffed.connect(urls=proxy.url, read_timeout="1")
    with nothing_changes(staffed):
        plan = staffed.preview(full=True)
    assert plan.status == "failed"
    assert "in time" in plan.reason
    heals(staffed)
    proxy.close()


def test_bind_password_changed(staffed: Office) -> None:
    staffed.connect(password="not the one any more")
    fails(staffed, "the name or the password is wrong")
    assert "not the one" not in staffed.preview().reason
    heals(staffed)


def test_expired_certificate(staffed: Office) -> None:
    controller = staffed.domain.controller
    with restarted(staffed.domain, lambda: controller.issue_certificate(expired=True)):
        fails(staffed, "certificate has expired")
    heals(staffed)


@contextmanager
def restarted(domain: Domain, prepare: Callable[[], None]) -> Iterator[None]:
    """The controller runs with another certificate, and afterwards with a good one again."""
    domain.close()
    domain.controller.stop()
    prepare()
    domain.controller.start()
    try:
        yield
    finally:
        domain.controller.stop()
        domain.controller.issue_certificate()
        domain.controller.start()
        domain.connection.bind()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(entries=5), "size limit"),
        (Limits(result=3), "time limit"),
        (Limits(result=51), "busy"),
        (Limits(without_controls=True), "no end mark"),
        (Limits(garbles_entries=True), "cannot be understood"),
        (Limits(hides_entries=True), "does not describe itself"),
    ],
    ids=["size-limit", "time-limit", "busy", "no-end-mark", "garbled", "nothing-at-all"],
)
def test_an_answer_that_cannot_be_trusted(staffed: Office, limits: Limits, words: str) -> None:
    with limited(staffed, limits):
        with nothing_changes(staffed):
            plan = staffed.preview(full=True)
        assert plan.status == "failed"
        assert words in plan.reason
    heals(staffed)


def test_empty_result(staffed: Office) -> None:
    """The answer says success and holds nobody: the plan waits for somebody who has looked at it."""
    with limited(staffed, Limits(hides_subtrees=True)), nothing_changes(staffed):
        plan = staffed.preview(full=True)
        assert (plan.status, plan.counts.read) == ("blocked", 0)
        assert "empty_read" in {each.name for each in plan.blocked}
        # of the one who left it is proven, object by object; of the others nothing is known
        assert numbers(plan) == {"deleted": 1, "errors": STAFF - 1}
        with pytest.raises(Blocked, match="without a single object"):
            staffed.apply(plan)
    heals(staffed)


def test_a_filter_that_finds_almost_nobody_is_held_back(staffed: Office) -> None:
    staffed.connect(user_filter="(cn=newcomer)")
    with nothing_changes(staffed):
        plan = staffed.preview()
        assert plan.status == "blocked"
        assert {"removals", "shrunken_read", "settings_changed"} <= {each.name for each in plan.blocked}
        with pytest.raises(Blocked):
            staffed.apply(plan)
    heals(staffed)


def test_base_dn_gone(staffed: Office) -> None:
    gone = staffed.unit
    staffed.domain.rename_unit(gone, "renamed")
    fails(staffed, "does not exist", gone)
    staffed.domain.rename_unit(gone.replace(gone.partition(",")[0], "OU=renamed", 1), gone.partition(",")[0][3:])
    heals(staffed)


def test_a_member_that_cannot_be_looked_up_stays(staffed: Office) -> None:
    """The directory is read to its end and dies before those who are missing could be looked up."""
    address = staffed.domain.controller.address
    proxy = Proxy(address, 636)

    class DyingReader(InterruptedReader):
        def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
            for page in self._reader.read(cursor, full=full):
                if page.end is not None:
                    self._proxy.close()
                yield page

    class Dying(InterruptedReading):
        def reader(self) -> InterruptedReader:
            return DyingReader(ActiveDirectoryReader(self._settings, now=self._now), self._proxy)

    dying = Dying(staffed, proxy)
    plan = staffed.preview(full=True, directory=dying)
    assert numbers(plan) == {"added": 1, "errors": 1}
    assert numbers(staffed.apply(plan, directory=dying)) == {"added": 1, "errors": 1}
    assert len(staffed.active()) == STAFF + 1
    staffed.connect()
    assert staffed.changes(full=True) == {"deleted": 1}


@contextmanager
def limited(office: Office, limits: Limits) -> Iterator[None]:
    """The source is read through a controller with limits."""
    controller = office.domain.controller
    made = LimitedController(controller.address, controller.ca_file.parent, limits)
    office.connect(urls=made.url, page_size="10")
    try:
        yield
    finally:
        made.close()
