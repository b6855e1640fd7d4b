"""Matching: a batch of observed objects with everything that is stored of them, and to whom each belongs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from scim_server.domain.attributes import flatten
from scim_server.domain.correlate import Correlation, CorrelationOutcome, Match, correlate
from scim_server.domain.identities import Weak
from scim_server.domain.keys import Claim, UnusableValue, Wanted, claims_of
from scim_server.domain.observations import Evidence, Observation
from scim_server.reconciler.composition import domain_link
from scim_server.reconciler.reading import parse_observation
from scim_server.reconciler.sources import PulledSource
from scim_server.scim.index import index_key, split_key
from scim_server.scim.registry import AttributeRef, ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities import snapshots
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.resources import Loaded
from scim_server.store.identities.staging import Staged

INFORMATION_ONLY = frozenset(("sid",))
"""Anchor kinds that prove nothing: a SID changes with a move to another domain."""


@dataclass(slots=True)
class Subject:
    """An observed object with what is stored of it.

    ``link`` is the source's link to the object and ``linked_pk`` its resource; ``loaded`` is the resource that the
    object belongs to, None for a new one; ``links`` are all links of that resource.
    """

    staged: Staged
    observation: Observation
    whole: bool
    link: StoredLink | None = None
    linked_pk: int | None = None
    loaded: Loaded | None = None
    links: Sequence[StoredLink] = ()
    held: Mapping[Claim, str] = field(default_factory=dict)
    correlation: Correlation = field(default_factory=lambda: Correlation(CorrelationOutcome.UNMATCHED, ""))

    @property
    def is_linked(self) -> bool:
        return self.link is not None and self.linked_pk is not None


def gather(
    session: Session, source: PulledSource, user_type: ResourceType, rows: Sequence[Staged], *, full_read: bool
) -> list[Subject]:
    """The staged objects with their links, resources and claims; each correlated by link or anchor."""
    subjects = [_subject(row, full_read=full_read) for row in rows]
    stored = snapshots.links_of_objects(session, source.id, [subject.staged.immutable_id for subject in subjects])
    for subject in subjects:
        subject.link, subject.linked_pk = stored.get(subject.staged.immutable_id, (None, None))
    unlinked = [subject for subject in subjects if not subject.is_linked and subject.staged.kind == "User"]
    matched = _match(session, source, user_type, unlinked)
    numbers = {subject.linked_pk for subject in subjects if subject.linked_pk is not None} | set(matched.values())
    load_stored(session, subjects, matched, numbers)
    return subjects


def load_stored(
    session: Session, subjects: Sequence[Subject], matched: Mapping[str, int], numbers: Collection[int]
) -> None:
    """Every subject that has a resource knows it, its links and its claims."""
    loaded = snapshots.resources_of(session, numbers)
    links = snapshots.links_of_resources(session, numbers)
    held = snapshots.claims_of_resources(session, numbers)
    for subject in subjects:
        number = subject.linked_pk if subject.is_linked else matched.get(subject.staged.immutable_id)
        if subject.is_linked:
            subject.correlation = Correlation(
                CorrelationOutcome.LINKED, "The object is linked.", loaded[number].id if number in loaded else None
            )
        if number is not None and number in loaded:
            subject.loaded = loaded[number]
            subject.links = links.get(number, ())
            subject.held = held.get(number, {})


def _subject(row: Staged, *, full_read: bool) -> Subject:
    observation, whole = parse_observation(row)
    return Subject(row, observation, whole or (full_read and row.origin == "read"))


def _match(
    session: Session, source: PulledSource, user_type: ResourceType, subjects: Sequence[Subject]
) -> dict[str, int]:
    """Immutable id of an unlinked object to the number of the resource that it is proven to be."""
    seen = [subject for subject in subjects if subject.observation.evidence is Evidence.PRESENT]
    if not seen:
        return {}
    book = _Book(session, source, user_type, seen)
    matched: dict[str, int] = {}
    for subject in seen:
        subject.correlation = correlate(
            subject.observation,
            link=domain_link(subject.link) if subject.link else None,
            anchors=book.by_anchor,
            strong=book.by_value,
            weak=book.by_claim,
            source=source.reference,
            wanted=book.wanted.get(subject.staged.immutable_id, ()),
        )
        if subject.correlation.outcome is CorrelationOutcome.MATCHED and subject.correlation.user_id:
            matched[subject.staged.immutable_id] = book.number(subject.correlation.user_id)
    return matched


class _Book:
    """Where the anchors, strong keys and, for a source that adopts, the names of a batch lead."""

    def __init__(
        self, session: Session, source: PulledSource, user_type: ResourceType, subjects: Sequence[Subject]
    ) -> None:
        self._session = session
        self._source = source
        self._type = user_type
        pairs = {
            (kind, value)
            for subject in subjects
            for kind, value in subject.observation.anchors.items()
            if kind not in INFORMATION_ONLY
        }
        self._anchored = snapshots.anchored(session, pairs)
        self.wanted = {each.staged.immutable_id: _claims(each) for each in subjects} if self._adopts else {}
        claims = {want.claim for wanted in self.wanted.values() for want in wanted}
        self._holders = snapshots.holders_among(session, claims)
        self._known: dict[int, Loaded] = {}
        self._links: dict[int, list[StoredLink]] = {}
        self._learn(
            {pk for pks in self._anchored.values() for pk in pks} | {each.pk for each in self._holders.values()}
        )

    @property
    def _adopts(self) -> bool:
        return self._source.policy.weak is Weak.ADOPT

    def by_anchor(self, kind: str, value: str) -> list[Match]:
        return [self._as_match(pk) for pk in sorted(self._anchored.get((kind, value), ()))]

    def by_claim(self, claim: Claim) -> list[Match]:
        holder = self._holders.get(claim)
        return [self._as_match(holder.pk)] if holder else []

    def by_value(self, name: str, value: str) -> list[Match]:
        """Users whose attribute, named flat, has exactly this value; the index finds them whatever the case."""
        reference = _reference(self._type, name)
        if reference is None:
            return []
        head, tail = split_key(index_key(reference.leaf, value))
        numbers = snapshots.with_value(self._session, reference.number, head, tail)
        self._learn(set(numbers))
        return [
            self._as_match(pk) for pk in numbers if flatten(orjson.loads(self._known[pk].document)).get(name) == value
        ]

    def number(self, user_id: str) -> int:
        """The number of a user that was found."""
        return next(pk for pk, loaded in self._known.items() if loaded.id == user_id)

    def _learn(self, numbers: set[int]) -> None:
        new = numbers - self._known.keys()
        if new:
            self._known |= snapshots.resources_of(self._session, new)
            self._links |= snapshots.links_of_resources(self._session, new)

    def _as_match(self, pk: int) -> Match:
        loaded = self._known[pk]
        present = [link for link in self._links.get(pk, ()) if link.state == "present"]
        return Match(
            user_id=loaded.id,
            is_live=loaded.state == "live" and loaded.type == "User",
            linked_here=any(link.source_id == self._source.id for link in present),
            created_locally=all(link.source_kind == "local" for link in present),
            privileged=bool(loaded.privileged),
        )


def _claims(subject: Subject) -> list[Wanted]:
    try:
        return claims_of(subject.observation.attributes, address_required=False)
    except UnusableValue:
        return []


def _reference(user_type: ResourceType, name: str) -> AttributeRef | None:
    """The attribute that a flat name means."""
    urn, _, rest = name.rpartition(":")
    attribute, _, sub = rest.partition(".")
    return user_type.find(attribute, urn=urn or None, sub=sub or None)
