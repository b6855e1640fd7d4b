"""What the Active Directory reader says when the directory or the way to it fails: never "everybody left"."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.active_directory.reader import ActiveDirectoryReader
from scim_server.domain.observations import End, Outcome, Page, ReadFailed
from tests.contract.mirror import in_one
from tests.contract.test_active_directory import config
from tests.directories.limits import LimitedController, Limits
from tests.directories.proxy import Proxy
from tests.directories.samba import PASSWORD, Domain, samba_template, started_domain


@pytest.fixture(scope="module")
def staff(samba: Domain) -> Iterator[str]:
    """An organizational unit with sixty people."""
    base = samba.add_unit()
    for number in range(60):
        samba.add_user(base, f"person {number}", description="x" * 500, title="Engineer")
    yield base
    samba.delete_tree(base)


@pytest.fixture
def proxy(samba: Domain) -> Iterator[Proxy]:
    """A plain proxy before the controller."""
    made = Proxy(samba.controller.address, 636)
    yield made
    made.close()


@contextmanager
def limited(samba: Domain, limits: Limits) -> Iterator[str]:
    """The URL of the controller with limits."""
    made = LimitedController(samba.controller.address, samba.controller.ca_file.parent, limits)
    try:
        yield made.url
    finally:
        made.close()


def reader_through(url: str, samba: Domain, base: str, **values: str) -> ActiveDirectoryReader:
    return ActiveDirectoryReader(config(samba, base, urls=url, page_size="10", **values))


def read_to_the_end(reader: ActiveDirectoryReader) -> list[Page]:
    return list(reader.read(None))


def test_a_connection_cut_in_the_middle_ends_the_read_as_partial(samba: Domain, staff: str, proxy: Proxy) -> None:
    pages = reader_through(proxy.url, samba, staff).read(None)
    first = next(pages)
    proxy.cut_after(1000)
    observations, end = in_one([first, *pages])
    assert 0 < len(observations) < 60
    assert (end.end, end.cursor) == (End.PARTIAL, None)
    assert "cut" in end.reason


def test_an_answer_that_stalls_ends_the_read_as_partial_in_time(samba: Domain, staff: str, proxy: Proxy) -> None:
    pages = reader_through(proxy.url, samba, staff, read_timeout="1").read(None)
    first = next(pages)
    proxy.stall_after(1000)
    observations, end = in_one([first, *pages])
    assert 0 < len(observations) < 60
    assert end.end is End.PARTIAL
    assert "in time" in end.reason


def test_a_connection_cut_before_the_first_object_is_a_failure(samba: Domain, staff: str, proxy: Proxy) -> None:
    proxy.cut_after(3000)
    with pytest.raises(ReadFailed, match=r"cut|in time"):
        read_to_the_end(reader_through(proxy.url, samba, staff))


def test_the_next_controller_is_asked_when_one_is_down(samba: Domain, staff: str, proxy: Proxy) -> None:
    dead = Proxy(samba.controller.address, 636)
    dead.close()
    observations, end = in_one(read_to_the_end(reader_through(f"{dead.url}\n{proxy.url}", samba, staff)))
    assert (len(observations), end.end) == (60, End.COMPLETE)


def test_an_incremental_read_goes_to_the_controller_that_gave_the_cursor(
    samba: Domain, staff: str, proxy: Proxy
) -> None:
    second = Proxy(samba.controller.address, 636)
    cursor = in_one(read_to_the_end(reader_through(second.url, samba, staff)))[1].cursor
    _, end = in_one(list(reader_through(f"{proxy.url}\n{second.url}", samba, staff).read(cursor)))
    assert (end.full, proxy.connections) == (False, 0)
    second.close()


def test_failing_over_to_another_controller_means_a_full_read(samba: Domain, staff: str, proxy: Proxy) -> None:
    second = Proxy(samba.controller.address, 636)
    cursor = in_one(read_to_the_end(reader_through(second.url, samba, staff)))[1].cursor
    second.close()
    observations, end = in_one(list(reader_through(f"{second.url}\n{proxy.url}", samba, staff).read(cursor)))
    assert (end.full, len(observations)) == (True, 60)


def test_a_wrong_password_is_named_and_tried_once(samba: Domain, staff: str, proxy: Proxy) -> None:
    second = Proxy(samba.controller.address, 636)
    settings = config(samba, staff, urls=f"{proxy.url}\n{second.url}", password="not the one")
    with pytest.raises(ReadFailed, match="name or the password is wrong") as failed:
        read_to_the_end(ActiveDirectoryReader(settings))
    assert "not the one" not in str(failed.value)
    assert second.connections == 0
    second.close()


def test_the_connection_test_tries_a_wrong_password_once(samba: Domain, staff: str, proxy: Proxy) -> None:
    second = Proxy(samba.controller.address, 636)
    settings = config(samba, staff, urls=f"{proxy.url}\n{second.url}", password="not the one")
    findings = ActiveDirectoryReader(settings).check()
    assert [finding.step for finding in findings] == ["name", "network", "encryption", "sign-in"]
    assert second.connections == 0
    second.close()


def test_the_connection_test_looks_at_every_controller(samba: Domain, staff: str, proxy: Proxy) -> None:
    dead = Proxy(samba.controller.address, 636)
    dead.close()
    findings = ActiveDirectoryReader(config(samba, staff, urls=f"{dead.url}\n{proxy.url}")).check()
    assert [finding.step for finding in findings if finding.outcome is Outcome.FAILED] == ["network"]
    assert findings[-1].step == "count"
    assert findings[-1].text.startswith("60 people and 0 groups in scope; the first: CN=person")


def test_a_size_limit_is_never_taken_for_the_end(samba: Domain, staff: str) -> None:
    with limited(samba, Limits(entries=5)) as url, pytest.raises(ReadFailed, match="size limit"):
        read_to_the_end(reader_through(url, samba, staff))


@pytest.mark.parametrize(("code", "words"), [(3, "time limit"), (51, "busy"), (50, "no right")])
def test_any_other_result_than_success_is_a_failure(samba: Domain, staff: str, code: int, words: str) -> None:
    with limited(samba, Limits(result=code)) as url, pytest.raises(ReadFailed, match=words):
        read_to_the_end(reader_through(url, samba, staff))


def test_an_answer_without_end_mark_is_not_trusted(samba: Domain, staff: str) -> None:
    with limited(samba, Limits(without_controls=True)) as url, pytest.raises(ReadFailed, match="no end mark"):
        read_to_the_end(reader_through(url, samba, staff))


def test_a_directory_that_shows_nothing_is_not_taken_for_an_empty_one(samba: Domain, staff: str) -> None:
    with (
        limited(samba, Limits(hides_entries=True)) as url,
        pytest.raises(ReadFailed, match="does not describe itself"),
    ):
        read_to_the_end(reader_through(url, samba, staff))


def test_an_answer_that_is_no_ldap_is_a_failure(samba: Domain, staff: str) -> None:
    with (
        limited(samba, Limits(garbles_entries=True)) as url,
        pytest.raises(ReadFailed, match="cannot be understood"),
    ):
        read_to_the_end(reader_through(url, samba, staff))


def test_a_renamed_base_dn_is_an_error_and_not_an_empty_directory(samba: Domain) -> None:
    base = samba.add_unit()
    samba.add_user(base, "Ann")
    reader = ActiveDirectoryReader(config(samba, base))
    cursor = in_one(read_to_the_end(reader))[1].cursor
    samba.rename_unit(base, "renamed staff")
    for previous in (None, cursor):
        with pytest.raises(ReadFailed, match="does not exist") as failed:
            list(reader.read(previous))
        assert base in str(failed.value)
    samba.delete_tree(base.replace(base.split(",")[0], "OU=renamed staff", 1))


def test_large_groups_are_read_on_in_ranges(samba: Domain) -> None:
    base = samba.add_unit()
    people = [samba.add_user(base, f"member {number}") for number in range(23)]
    group = samba.add_group(base, "large", tuple(people))
    for size in (1, 22, 23):
        with limited(samba, Limits(values=size)) as url:
            found = reader_through(url, samba, base).look_up([group])[group]
        assert sorted(member.immutable_id for member in found.members or ()) == sorted(people)
    samba.delete_tree(base)


def test_a_range_that_breaks_off_is_a_failure_and_never_a_smaller_group(samba: Domain) -> None:
    base = samba.add_unit()
    people = tuple(samba.add_user(base, f"member {number}") for number in range(6))
    samba.add_group(base, "large", people)
    with limited(samba, Limits(values=4, breaks_ranges=True)) as url:
        observations, end = in_one(read_to_the_end(reader_through(url, samba, base)))
    assert len(observations) == 6
    assert end.end is End.PARTIAL
    assert "broke off" in end.reason
    samba.delete_tree(base)


def test_a_controller_restored_from_a_snapshot_is_read_in_full(samba: Domain, staff: str) -> None:
    reader = ActiveDirectoryReader(config(samba, staff))
    cursor = in_one(read_to_the_end(reader))[1].cursor or ""
    later = json.loads(cursor)
    later["usn"] += 1_000_000
    assert in_one(list(reader.read(json.dumps(later))))[1].full is True
    other = json.loads(cursor)
    other["invocation"] = "00000000-0000-4000-8000-000000000000"
    assert in_one(list(reader.read(json.dumps(other))))[1].full is True


def test_another_scope_or_mapping_means_a_full_read(samba: Domain, staff: str) -> None:
    cursor = in_one(read_to_the_end(ActiveDirectoryReader(config(samba, staff))))[1].cursor
    for changed in ({"user_filter": "(title=Engineer)"}, {"mapping": '{"title": null}'}, {"import_groups": "no"}):
        reader = ActiveDirectoryReader(config(samba, staff, **changed))
        assert in_one(list(reader.read(cursor)))[1].full is True


def test_starttls_encrypts_and_reads(samba: Domain, staff: str) -> None:
    reader = ActiveDirectoryReader(config(samba, staff, urls=samba.controller.starttls_url))
    assert len(in_one(read_to_the_end(reader))[0]) == 60
    assert all(finding.outcome is not Outcome.FAILED for finding in reader.check())


def test_an_unknown_authority_is_refused_unless_verification_is_off(samba: Domain, staff: str) -> None:
    settings = {"ca_file": "", "urls": samba.controller.url}
    reader = ActiveDirectoryReader(config(samba, staff, **settings))
    with pytest.raises(ReadFailed, match="unknown authority"):
        read_to_the_end(reader)
    failed = reader.check()[-1]
    assert (failed.step, failed.outcome) == ("encryption", Outcome.FAILED)
    assert "issued by Test CA" in failed.text
    unverified = ActiveDirectoryReader(config(samba, staff, verify_certificate="no", **settings))
    assert len(in_one(read_to_the_end(unverified))[0]) == 60
    assert Outcome.WARNING in {finding.outcome for finding in unverified.check() if finding.step == "encryption"}


def test_a_certificate_for_another_name_is_refused(samba: Domain, staff: str) -> None:
    unlisted = Proxy(samba.controller.address, 636, listen="127.0.0.2")
    with pytest.raises(ReadFailed, match="another name"):
        read_to_the_end(reader_through(unlisted.url, samba, staff))
    unlisted.close()


def test_an_expired_certificate_is_named(staff: str) -> None:
    with started_domain(samba_template(), expired_certificate=True) as other:
        reader = ActiveDirectoryReader(config(other, "DC=ad,DC=example,DC=test"))
        with pytest.raises(ReadFailed, match="certificate has expired"):
            read_to_the_end(reader)
        failed = reader.check()[-1]
        assert "valid until" in failed.text
        assert failed.remedy.startswith("Renew the certificate")


@pytest.mark.parametrize(
    ("values", "step", "words"),
    [
        ({"urls": "ldaps://nowhere.invalid"}, "name", "cannot be resolved"),
        ({"urls": "ldaps://127.0.0.1:9"}, "network", "nobody listens"),
        ({"bind_dn": "ADTEST\\nobody"}, "sign-in", "name or the password is wrong"),
        ({"base_dns": "OU=Missing,DC=ad,DC=example,DC=test"}, "scope", "does not exist"),
    ],
)
def test_the_connection_test_stops_at_the_step_that_fails(
    samba: Domain, staff: str, values: dict[str, str], step: str, words: str
) -> None:
    base = values.pop("base_dns", staff)
    failed = ActiveDirectoryReader(config(samba, base, **values)).check()[-1]
    assert (failed.step, failed.outcome) == (step, Outcome.FAILED)
    assert words in failed.text
    assert failed.remedy
    assert PASSWORD not in failed.text + failed.remedy
