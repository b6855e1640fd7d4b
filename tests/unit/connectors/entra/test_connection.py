"""Requests are repeated while that can help, and what is no answer is never taken for one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from requests.adapters import BaseAdapter

from connectors.entra.connection import Connection, Patience, retry_after_seconds
from connectors.entra.errors import EntraFailed, Unavailable
from tests.directories.graph_emulator import ORIGIN, EmulatorAdapter, GraphEmulator, serve
from tests.directories.graph_emulator.emulator import CUT_ON_THE_WAY, HANG_UP, TRANSIENT
from tests.directories.graph_emulator.fixtures import AT_ONCE
from tests.directories.graph_emulator.wire import Answer, graph_error

DISCOVERY = "/example.test/v2.0/.well-known/openid-configuration"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("10", 10.0),
        ("2.128", 2.128),
        ("0", 0.0),
        ("-5", 0.0),
        ("Sat, 21 Nov 2026 12:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_fractions_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_the_pause_that_a_throttled_answer_asks_for_is_kept_exactly(
    emulator: GraphEmulator, pauses: list[float]
) -> None:
    for header in ("7", "2.128"):
        emulator.break_next(DISCOVERY, graph_error(429, "TooManyRequests", Retry_After=header))
    connection = Connection(adapter=EmulatorAdapter(emulator))
    assert connection.send("GET", ORIGIN + DISCOVERY).status_code == 200
    assert pauses == [7.0, 2.128]


def test_without_retry_after_the_pauses_grow(emulator: GraphEmulator, pauses: list[float]) -> None:
    emulator.break_next(DISCOVERY, graph_error(503, "serviceNotAvailable"), times=4)
    Connection(adapter=EmulatorAdapter(emulator), patience=Patience(jitter=0)).send("GET", ORIGIN + DISCOVERY)
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_a_pause_of_an_hour_is_left_to_the_next_run(emulator: GraphEmulator, pauses: list[float]) -> None:
    emulator.break_next(DISCOVERY, graph_error(429, "TooManyRequests", Retry_After="3600"))
    with pytest.raises(Unavailable, match="throttled") as caught:
        Connection(adapter=EmulatorAdapter(emulator)).send("GET", ORIGIN + DISCOVERY)
    assert caught.value.retry_after == 3600
    assert pauses == []


@pytest.mark.parametrize("answer", TRANSIENT, ids=lambda answer: f"{answer.status}-{answer.transfer}-{answer.body[:9]}")
def test_what_is_no_answer_is_asked_for_again(emulator: GraphEmulator, answer: Answer) -> None:
    emulator.break_next(DISCOVERY, answer, times=3)
    connection = Connection(adapter=EmulatorAdapter(emulator), patience=AT_ONCE)
    assert connection.send("GET", ORIGIN + DISCOVERY).body["token_endpoint"]
    assert len(emulator.requests) == 4


@pytest.mark.parametrize("answer", TRANSIENT, ids=lambda answer: f"{answer.status}-{answer.transfer}-{answer.body[:9]}")
def test_patience_ends_with_a_failure_and_never_with_nothing(emulator: GraphEmulator, answer: Answer) -> None:
    emulator.break_next(DISCOVERY, answer, times=100)
    with pytest.raises(Unavailable):
        Connection(adapter=EmulatorAdapter(emulator), patience=AT_ONCE).send("GET", ORIGIN + DISCOVERY)
    assert len(emulator.requests) == AT_ONCE.attempts


@pytest.mark.parametrize("answer", [CUT_ON_THE_WAY, HANG_UP])
def test_a_connection_that_breaks_is_opened_again(emulator: GraphEmulator, answer: Answer, tmp_path: Path) -> None:
    with serve(emulator, tmp_path) as (origin, ca_file):
        emulator.break_next(DISCOVERY, answer)
        assert Connection(ca_file=ca_file, patience=AT_ONCE).send("GET", origin + DISCOVERY).status_code == 200


def test_a_certificate_nobody_trusts_ends_at_once_with_advice(emulator: GraphEmulator, tmp_path: Path) -> None:
    with serve(emulator, tmp_path) as (origin, _), pytest.raises(EntraFailed, match="could not be verified") as caught:
        Connection(patience=AT_ONCE).send("GET", origin + DISCOVERY)
    assert "ca_file" in caught.value.remedy
    assert not isinstance(caught.value, Unavailable)
    assert emulator.requests == []


def test_the_ca_file_of_the_settings_wins_over_the_environment(
    emulator: GraphEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    with serve(emulator, tmp_path) as (origin, ca_file):
        other.write_text("")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
        assert Connection(ca_file=ca_file, patience=AT_ONCE).send("GET", origin + DISCOVERY).status_code == 200


def test_a_password_in_netrc_never_replaces_the_token(
    emulator: GraphEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    connection = Connection(adapter=EmulatorAdapter(emulator), patience=AT_ONCE)
    connection.send("GET", f"{ORIGIN}/v1.0/users", token="the-token")
    connection.send("GET", ORIGIN + DISCOVERY)
    assert [request.headers.get("authorization") for request in emulator.requests] == ["Bearer the-token", None]


def test_an_answer_that_drips_forever_is_given_up() -> None:
    connection = Connection(adapter=_Dripping(), patience=Patience(attempts=1, transfer=0.0))
    with pytest.raises(Unavailable, match="did not finish"):
        connection.send("GET", f"{ORIGIN}/slow")


class _Dripping(BaseAdapter):
    """A server that sends blanks without end."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.raw = SimpleNamespace(stream=self._blanks, close=lambda: None, release_conn=lambda: None)
        response.url = str(request.url)
        return response

    def _blanks(self, *_: object, **__: object) -> Iterator[bytes]:
        while True:
            yield b" "

    def close(self) -> None:
        return None
