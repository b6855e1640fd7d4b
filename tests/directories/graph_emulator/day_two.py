"""What administrators do all day, at random: the source of change sequences."""

import random
import uuid
from collections.abc import Callable

from tests.directories.graph_emulator.tenant import Tenant


class DayTwo:
    """Random changes of a tenant; ``kept`` things are never deleted (scope groups)."""

    def __init__(self, tenant: Tenant, chance: random.Random, kept: frozenset[str] = frozenset()) -> None:
        self._tenant = tenant
        self._chance = chance
        self._kept = kept
        self._acts: list[Callable[[], object]] = [
            self._add_user, self._change, self._change, self._clear, self._disable, self._delete, self._restore,
            self._purge, self._add_group, self._rename_group, self._delete_group, self._join, self._join, self._join,
            self._leave, self._leave, self._nest, self._report, self._report,
        ]  # fmt: skip

    def act(self, times: int) -> None:
        """So many things happen."""
        for _ in range(times):
            self._chance.choice(self._acts)()

    def populate(self, users: int, groups: int) -> None:
        for _ in range(users):
            self._add_user()
        for _ in range(groups):
            self._add_group()
        for _ in range(users):
            self._join()
            self._report()

    def _add_user(self) -> None:
        name = f"user{self._chance.randrange(10**9)}"
        extra = {"mail": f"{name}@example.com"} if self._chance.random() < 0.5 else {}
        if self._chance.random() < 0.2:
            self._tenant.add_user(name, userType="Guest", **extra)
        elif self._chance.random() < 0.3:
            self._tenant.add_synced_user(name, uuid.UUID(int=self._chance.getrandbits(128)), **extra)
        else:
            self._tenant.add_user(name, **extra)

    def _change(self) -> None:
        name = self._chance.choice(["displayName", "jobTitle", "department", "mail"])
        number = self._chance.randrange(100)
        user = self._user()
        if user and name == "mail":
            self._tenant.change(user, mail=f"m{number}@example.com", proxyAddresses=[f"smtp:a{number}@example.com"])
        elif user:
            self._tenant.change(user, **{name: f"{name} {number}"})

    def _clear(self) -> None:
        user = self._user()
        if user:
            self._tenant.change(user, **{self._chance.choice(["jobTitle", "department", "mail"]): None})

    def _disable(self) -> None:
        user = self._user()
        if user:
            self._tenant.change(user, accountEnabled=self._chance.random() < 0.5)

    def _delete(self) -> None:
        user = self._user()
        if user:
            self._tenant.delete(user)

    def _restore(self) -> None:
        deleted = self._with_state("soft")
        if deleted:
            self._tenant.restore(deleted)

    def _purge(self) -> None:
        deleted = self._with_state("soft")
        if deleted:
            self._tenant.purge(deleted)

    def _add_group(self) -> None:
        self._tenant.add_group(unified=self._chance.random() < 0.5)

    def _rename_group(self) -> None:
        group = self._group()
        if group:
            self._tenant.change(group, displayName=f"Team {self._chance.randrange(100)}")

    def _delete_group(self) -> None:
        group = self._group()
        if group and group not in self._kept and self._chance.random() < 0.5:
            self._tenant.delete(group)

    def _join(self) -> None:
        group, user = self._group(), self._user()
        if group and user:
            self._tenant.add_member(group, user)

    def _leave(self) -> None:
        group = self._group()
        members = self._tenant.members_of(group) if group else []
        if group and members:
            self._tenant.remove_member(group, self._chance.choice(members).id)

    def _nest(self) -> None:
        outer, inner = self._group(), self._group()
        if outer and inner and outer != inner:
            self._tenant.add_member(outer, inner)

    def _report(self) -> None:
        user, manager = self._user(), self._user()
        if user and manager and user != manager:
            self._tenant.set_manager(user, manager if self._chance.random() < 0.8 else None)

    def _user(self) -> str | None:
        users = self._tenant.live("user")
        return self._chance.choice(users).id if users else None

    def _group(self) -> str | None:
        groups = self._tenant.live("group")
        return self._chance.choice(groups).id if groups else None

    def _with_state(self, state: str) -> str | None:
        things = [thing.id for thing in self._tenant.things.values() if thing.state == state]
        return self._chance.choice(things) if things else None
