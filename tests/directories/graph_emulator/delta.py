"""Delta rounds as the service tells them: in no order, with replays, links split over pages, old states too.

Without noise a round is as plain as the documentation's samples. With noise every freedom is used that the service is
known to take (https://learn.microsoft.com/graph/delta-query-overview and reports in public issue threads).
"""

import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.directories.graph_emulator.tenant import LinkEvent, Tenant, Thing, told

Entry = dict[str, Any]
START = -1


@dataclass
class Rounds:
    """The rounds under way; a page can be asked for again, until ``expire_pages``."""

    tenant: Tenant
    page_size: int = 200
    noise: random.Random | None = None
    _numbers: "count[int]" = field(default_factory=count)
    _open: dict[int, tuple[list[list[Entry]], int]] = field(default_factory=dict)

    def begin(self, kind: str, select: list[str], since: int = START) -> int:
        """A round of everything (or of what changed after ``since``) as of now; its number."""
        number = next(self._numbers)
        entries = list(self._entries(kind, select, since))
        if self.noise:
            entries = _confused(entries, self.noise)
        self._open[number] = (self._pages(entries), self.tenant.number)
        return number

    def page(self, number: int, index: int) -> tuple[list[Entry], int | None, int] | None:
        """The page, the index of the next one, and the change number up to which the round tells; None if expired."""
        if number not in self._open:
            return None
        pages, upto = self._open[number]
        return pages[index], index + 1 if index + 1 < len(pages) else None, upto

    def expire_pages(self) -> None:
        self._open.clear()

    def _pages(self, entries: list[Entry]) -> list[list[Entry]]:
        pages = []
        rest = entries
        while rest:
            size = self.noise.randint(0, self.page_size) if self.noise else self.page_size
            pages.append(rest[:size])
            rest = rest[size:]
        return pages or [[]]

    def _entries(self, kind: str, select: list[str], since: int) -> list[Entry]:
        wanted = [thing for thing in self.tenant.things.values() if thing.kind == kind]
        name = "members" if kind == "group" else "manager"
        links = _by_source(self._links(kind, since)) if name in select else {}
        return [
            entry
            for thing in wanted
            if since == START or thing.id in links or _touched(thing, since)
            for entry in self._told(thing, select, since, name, links.get(thing.id, []))
        ]

    def _links(self, kind: str, since: int) -> list[LinkEvent]:
        tenant = self.tenant
        if since == START and kind == "group":
            return [LinkEvent(0, group, member, True) for group, held in tenant.members.items() for member in held]
        if since == START:
            return [LinkEvent(0, user, manager, True) for user, manager in tenant.managers.items()]
        events = tenant.member_events if kind == "group" else tenant.manager_events
        return [event for event in events if event.number > since]

    def _told(self, thing: Thing, select: list[str], since: int, name: str, events: list[LinkEvent]) -> list[Entry]:
        removed = [state for number, state in thing.states if number > since and state != "live"]
        removals = [{"id": thing.id, "@removed": {"reason": "changed" if s == "soft" else "deleted"}} for s in removed]
        if thing.state != "live":
            if not self.noise:
                return removals[-1:] if since != START else []
            alive = _touched(thing, since) and len(thing.states) > 1 and self.noise.random() < 0.5
            stale = [told(thing, select, thing.properties)] if alive else []
            return [*stale, *removals] if since != START or self.noise.random() < 0.3 else []
        entries = [told(thing, select, thing.properties)]
        if self.noise and since == START:  # whether an enumeration spells what was cleared is not documented
            entries = [
                {name: value for name, value in entries[0].items() if value is not None or self.noise.random() < 0.5}
            ]
        if self.noise:
            entries += removals
            earlier = [properties for number, properties in thing.versions[:-1] if number > since]
            entries += [told(thing, select, old) for old in earlier if self.noise.random() < 0.5]
        return _with_links(entries, f"{name}@delta", self._spell_links(events, since), self.noise)

    def _spell_links(self, events: list[LinkEvent], since: int) -> list[Entry]:
        if not self.noise:  # the net change, the last word on each target
            events = list({event.target: event for event in events}.values())
        spelled_links = []
        for event in events:
            target = self.tenant.things[event.target]
            if since == START and target.state != "live":
                continue
            link = {"@odata.type": target.type, "id": target.id}
            spelled_links.append(link if event.added else {**link, "@removed": {"reason": "deleted"}})
        return spelled_links


def _touched(thing: Thing, since: int) -> bool:
    return thing.versions[-1][0] > since or thing.states[-1][0] > since


def _by_source(events: list[LinkEvent]) -> dict[str, list[LinkEvent]]:
    found: dict[str, list[LinkEvent]] = {}
    for event in events:
        found.setdefault(event.source, []).append(event)
    return found


def _with_links(entries: list[Entry], name: str, links: list[Entry], noise: random.Random | None) -> list[Entry]:
    if not links:
        return entries
    if not noise:
        return [{**entries[0], name: links}, *entries[1:]]
    noise.shuffle(links)
    spread = list(entries)
    while links:
        size = noise.randint(1, len(links))
        part, links = links[:size], links[size:]
        bare = {"id": entries[0]["id"]} if noise.random() < 0.5 else entries[0]
        spread.append({**bare, name: part})
    return spread


def _confused(entries: list[Entry], noise: random.Random) -> list[Entry]:
    """Replays, and no order whatsoever."""
    replayed = entries + [entry for entry in entries if noise.random() < 0.2]
    noise.shuffle(replayed)
    return replayed
