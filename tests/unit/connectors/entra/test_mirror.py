"""Whatever happens in a tenant and however Graph tells it, the observations add up to the truth."""

import random
import uuid

import pytest

from connectors.entra.config import parse_config
from connectors.entra.connection import Patience
from connectors.entra.reader import EntraReader
from scim_server.domain.observations import End
from tests.directories.graph_emulator import Application, EmulatorAdapter, GraphEmulator, Tenant, settings_for
from tests.directories.graph_emulator.day_two import DayTwo
from tests.directories.graph_emulator.wire import Answer, graph_error
from tests.unit.connectors.entra.mirror import Mirror, people_of, teams_of

AT_ONCE = Patience(longest_pause=0, jitter=0)
ROUNDS = 20
LOST_STATE = [
    graph_error(410, "syncStateNotFound"),
    graph_error(400, "resyncRequired"),
    graph_error(404, "SyncStateNotFound"),
    graph_error(400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
    Answer(410, b"{}"),
]


class Story:
    """One tenant, one reader and one mirror through twenty rounds of changes and noise."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        tenant = Tenant(
            new_id=lambda: str(uuid.UUID(int=self.chance.getrandbits(128))),
            tells_links_of_restored=self.chance.random() < 0.5,
        )
        # GroupMember.Read.All does not open the recycle bin of groups
        application = Application(roles={"User.Read.All", "Group.Read.All"})
        self.emulator = GraphEmulator(
            tenant, application, noise=self.chance, page_size=self.chance.choice([3, 10, 200])
        )
        self.tenant = tenant
        self.scope_group = tenant.add_group("Everybody who counts") if seed % 3 == 0 else ""
        self.day = DayTwo(tenant, self.chance, frozenset([self.scope_group]))
        self.day.populate(users=8, groups=3)
        self.guests = self.chance.random() < 0.5
        chosen = {"scope_groups": self.scope_group, "guests": "yes" if self.guests else "no"}
        values, secrets = settings_for(self.emulator, **chosen)
        self.reader = EntraReader(
            parse_config(values, secrets), patience=AT_ONCE, adapter=EmulatorAdapter(self.emulator)
        )
        self.mirror = Mirror(forgetful=self.chance.random() < 0.5)
        self.checked = 0
        self.shaken = False

    def play(self) -> None:
        for _ in range(ROUNDS):
            self.day.act(self.chance.randint(0, 6))
            self._lose_state_now_and_then()
            self.emulator.fault_rate = self.chance.choice([0.0, 0.05, 0.2])
            self._read()
        self.emulator.fault_rate = 0.0
        self._read(disturbed=False)
        assert self.checked

    def _read(self, *, disturbed: bool = True) -> None:
        upheaval = disturbed and self.chance.random() < 0.3
        end = self.mirror.follow(self.reader, self._meanwhile if upheaval else lambda: None, full=self.shaken)
        # what is deleted and restored in the middle of a full read is healed by the next full one
        self.shaken = (end.full and upheaval) or (self.shaken and end.end is not End.COMPLETE)
        if end.end is End.COMPLETE and not upheaval:
            self.checked += 1
            self._compare()
        else:
            assert disturbed, end.reason

    def _meanwhile(self) -> None:
        self.day.act(self.chance.randint(0, 1))

    def _lose_state_now_and_then(self) -> None:
        if self.chance.random() < 0.1:
            self.emulator.forget_delta_tokens(self.chance.choice(LOST_STATE))

    def _compare(self) -> None:
        people, teams = self._within()
        truth = people_of(self.tenant, people, guests=self.guests)
        assert self.mirror.people() == truth
        assert self.mirror.teams() == teams_of(self.tenant, truth, teams)

    def _within(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        if not self.scope_group:
            return None, None
        found = self.tenant.transitive_members_of(self.scope_group)
        users = frozenset(thing.id for thing in found if thing.kind == "user")
        return users, frozenset(thing.id for thing in found if thing.kind == "group") | {self.scope_group}


@pytest.mark.parametrize("seed", range(50))
def test_a_mirror_equals_the_tenant_after_any_changes_told_in_any_way(seed: int) -> None:
    Story(seed).play()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1000, 1500))
def test_a_mirror_equals_the_tenant_after_any_changes_told_in_any_way_at_length(seed: int) -> None:
    Story(seed).play()
