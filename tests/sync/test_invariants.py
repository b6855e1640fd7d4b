"""Random sequences of directory changes, pushes, previews and confirmations: the invariants hold after every step."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from connectors.scripted import Faults
from scim_server.domain.breakers import Limits
from scim_server.domain.keys import claims_of
from scim_server.reconciler.runs import PlanSummary
from scim_server.scim.errors import ScimError
from scim_server.store.engine import Database
from tests.services import PostgresCluster
from tests.sync.world import World, numbers

NAMES = ("ann", "bob", "cid")
OBJECTS = ("o1", "o2", "o3", "o4")
QUIET = frozenset(("duplicated", "dismissed", "out_of_scope", "errors", "deferred"))
"""What a second run may still count: objects that go on waiting."""
NO_LIMITS = {"limit_smallest_base": 1000, "limit_shrunken_percent": 0}


@dataclass(frozen=True)
class Step:
    """One thing that happens; ``pick`` chooses among what there is to choose from."""

    kind: str
    target: str
    name: str
    email: str
    pick: int


KINDS = (
    *("put",) * 3, "delete", "move out", "bring back", "disable", "secondary", *("push",) * 2, "push change",
    "push delete", *("sync",) * 2, "sync fully", "sync one", "push meanwhile", "outage", "shuffled", "cancel",
)  # fmt: skip
STEPS = st.builds(
    Step,
    kind=st.sampled_from(KINDS),
    target=st.sampled_from(OBJECTS),
    name=st.sampled_from(NAMES),
    email=st.sampled_from(NAMES),
    pick=st.integers(0, 3),
)

WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)
"""A failing walk is short enough to read; making it shorter takes minutes."""


class Walk:
    """A world on its way through a sequence of steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.directory = world.directory
        self.directory.page_size = 2
        self.directory.user("o0", "always@x.test")

    def go(self, step: Step) -> None:
        """The step has happened, and everything still holds."""
        getattr(self, step.kind.replace(" ", "_"))(step)
        self.check()

    # the directory

    def put(self, step: Step) -> None:
        self.directory.user(step.target, f"{step.name}@x.test", f"{step.email}@x.test")

    def secondary(self, step: Step) -> None:
        emails = [{"value": f"{step.target}@x.test", "primary": True}, {"value": f"{step.email}@x.test"}]
        self.directory.user(step.target, f"{step.target}@x.test", attributes={"emails": emails})

    def delete(self, step: Step) -> None:
        if step.target in self.directory.objects:
            self.directory.delete(step.target, soft=step.pick > 1)

    def move_out(self, step: Step) -> None:
        if step.target in self.directory.objects:
            self.directory.move_out(step.target)

    def bring_back(self, step: Step) -> None:
        if step.target in self.directory.objects:
            self.directory.bring_back(step.target)

    def disable(self, step: Step) -> None:
        if step.target in self.directory.objects:
            self.directory.change(step.target, enabled=step.pick > 1)

    # clients

    def push(self, step: Step) -> None:
        self._pushed(lambda: self.world.push_user(f"{step.name}@x.test", f"{step.email}@x.test"))

    def push_change(self, step: Step) -> None:
        users = sorted(user["id"] for user in self.world.users().values())
        if users:
            user = users[step.pick % len(users)]
            emails = [{"value": f"{step.email}@x.test", "type": "work", "primary": True}]
            self._pushed(lambda: self.world.push_change(user, emails=emails, title=step.name))

    def push_delete(self, step: Step) -> None:
        users = sorted(user["id"] for user in self.world.users().values())
        if users:
            self._pushed(lambda: self.world.push.delete(self.world.order(), users[step.pick % len(users)]))

    def _pushed(self, request: Callable[[], Any]) -> None:
        with suppress(ScimError):
            request()

    # runs

    def sync(self, _step: Step) -> None:
        self._confirm(self.world.preview())

    def sync_fully(self, _step: Step) -> None:
        self._confirm(self.world.preview(full=True))

    def sync_one(self, step: Step) -> None:
        if step.target in self.directory.objects:
            self._confirm(self.world.preview(step.target))

    def push_meanwhile(self, step: Step) -> None:
        plan = self.world.preview()
        self.push_change(step)
        before = self._documents()
        run = self.world.apply(plan, approve=True)
        assert run.status in ("applied", "applied_with_drift")
        self._check_only_planned(plan, before)

    def cancel(self, step: Step) -> None:
        plan = self.world.preview(full=step.pick > 1)
        self.world.apply(plan, approve=True, should_stop=lambda: True)
        self.world.apply(plan, approve=True)

    def outage(self, step: Step) -> None:
        """I4: a read that breaks off removes nobody who is not proven to be gone."""
        present = {each.immutable_id for each in self.directory.objects.values() if each.evidence == "present"}
        kept = {
            row["resource_pk"] for row in self.world.rows("links", state="present") if row["immutable_id"] in present
        }
        before = {row["pk"]: row for row in self.world.rows("resources", state="live") if row["pk"] in kept}
        self.directory.faults = Faults(
            unreachable=step.pick == 0, pages_before_failure=1, unreadable=frozenset(self.directory.objects)
        )
        plan = self.world.preview(full=True)
        if plan.status == "ready":
            self.world.apply(plan)
        self.directory.faults = Faults()
        assert before.keys() <= {row["pk"] for row in self.world.rows("resources", state="live")}

    def shuffled(self, _step: Step) -> None:
        """I6: order, page boundaries and replays do not change the plan."""
        prints = set()
        for seed in (1, 2):
            self.directory.faults = Faults(shuffle=seed, replay=seed == 2)
            self.directory.page_size = seed
            prints.add(self.world.preview(full=True).content_fingerprint)
        self.directory.faults = Faults()
        assert len(prints) == 1

    def _confirm(self, plan: PlanSummary) -> None:
        before = self._documents()
        run = self.world.apply(plan, approve=True)
        assert run.status == "applied", self._stale(plan)
        assert run.counts == plan.counts
        self._check_only_planned(plan, before)

    def _stale(self, plan: PlanSummary) -> list[Any]:
        return [(key, item["op"], item["status"], item["error"]) for key, item in self.world.items(plan).items()]

    # what must hold

    def _documents(self) -> dict[str, tuple[str, str]]:
        return {row["id"]: (row["state"], row["document"]) for row in self.world.rows("resources")}

    def _check_only_planned(self, plan: PlanSummary, before: dict[str, tuple[str, str]]) -> None:
        """I3, I7 and I9: what no item names is as it was; what an item has done is what it showed."""
        after = self._documents()
        done = {
            item["resource_id"]: item
            for item in self.world.items(plan).values()
            if item["phase"] < 3 and item["status"] == "done"
        }
        assert {id_ for id_ in after if before.get(id_) != after[id_]} <= done.keys()
        for resource_id, item in done.items():
            state, document = after[resource_id]
            assert state == ("tombstone" if item["op"] == "delete" else "live")
            if item["after"] is not None:
                assert orjson.loads(document) == orjson.loads(item["after"])

    def check(self) -> None:
        """I1 and I2, and that the claims are those of the documents."""
        resources = {row["pk"]: row for row in self.world.rows("resources")}
        held: dict[int, set[tuple[str, str]]] = {pk: set() for pk in resources}
        for row in self.world.rows("claims"):
            held[row["resource_pk"]].add((row["ns"], row["key"]))
        for pk, resource in resources.items():
            if resource["state"] != "live":
                assert held[pk] == set()
                continue
            wanted = claims_of(orjson.loads(resource["document"]), address_required=False)
            assert held[pk] == {(want.claim.ns, want.claim.key) for want in wanted}
        links = Counter((row["source_id"], row["resource_pk"]) for row in self.world.rows("links", state="present"))
        assert all(number == 1 for number in links.values())

    def check_rest(self) -> None:
        """I5 and I8: once everything is in, a run finds nothing more, and every duplicate has its witness."""
        self.world.clock.pass_by(hours=8)
        self.sync_fully(Step("", "", "", "", 0))
        cases = {case.id for case in self.world.duplicates()}
        self.check_witnesses()
        again = self.world.preview(full=True)
        assert set(numbers(again)) <= QUIET, self._stale(again)
        self.world.apply(again, approve=True)
        assert {case.id for case in self.world.duplicates()} == cases
        incremental = self.world.preview()
        assert set(numbers(incremental)) <= QUIET

    def check_witnesses(self) -> None:
        holders = {(row["ns"], row["key"]): row["resource_pk"] for row in self.world.rows("claims")}
        for case in self.world.rows("duplicates", status="open", channel="pull"):
            assert holders.get((case["ns"], case["key"])) == case["holder_pk"], case


def walk(world: World, steps: Sequence[Step]) -> None:
    way = Walk(world)
    for step in steps:
        way.go(step)
    way.check_rest()
    way.check()


@settings(max_examples=100, phases=WITHOUT_SHRINKING)
@given(steps=st.lists(STEPS, min_size=3, max_size=10))
def test_the_invariants_hold_after_every_step_on_sqlite(sqlite_template: Path, steps: list[Step]) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "scim.db"
        shutil.copyfile(sqlite_template, path)
        database = Database(f"sqlite:///{path}", pool_size=2)
        try:
            walk(World(database, **NO_LIMITS), steps)
        finally:
            database.close()


@settings(max_examples=15, phases=WITHOUT_SHRINKING)
@given(steps=st.lists(STEPS, min_size=3, max_size=10))
def test_the_invariants_hold_after_every_step_on_postgresql(
    postgres: PostgresCluster, postgres_database: str, steps: list[Step]
) -> None:
    postgres.empty(postgres_database)
    database = Database(postgres.url(postgres_database), pool_size=2)
    try:
        walk(World(database, **NO_LIMITS), steps)
    finally:
        database.close()


def test_the_limits_of_these_worlds_are_lifted() -> None:
    assert Limits().smallest_base < NO_LIMITS["limit_smallest_base"]
