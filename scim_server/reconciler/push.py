"""SCIM requests that change something: each is a plan of one item, decided and written in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from scim_server.domain.clients import Client
from scim_server.domain.times import Clock, to_text
from scim_server.reconciler import membership
from scim_server.reconciler.creation import anchors_of, is_linked, new_proposal, same_person
from scim_server.reconciler.departure import depart
from scim_server.reconciler.door import decide, parse_stored, write
from scim_server.reconciler.proposals import Document, Origin, Proposal
from scim_server.reconciler.refusals import Refused, object_of, record, replayed, settle
from scim_server.reconciler.updates import update_proposal
from scim_server.scim.dialects import Dialect
from scim_server.scim.errors import Conflict, NotFound, PreconditionFailed, Uniqueness
from scim_server.scim.member_changes import Add, MemberStep, Replace, split
from scim_server.scim.patch import Operation, apply
from scim_server.scim.registry import ResourceType
from scim_server.scim.validate import validate_create, validate_replace
from scim_server.store.engine import Database, Session, TransactionLost
from scim_server.store.identities.claims import ClaimLost
from scim_server.store.identities.resources import Loaded, load, touch
from scim_server.store.reads.resources import StoredResource

Result = TypeVar("Result")
_ATTEMPTS = 5  # a claim can be lost to a concurrent push; the next look sees its holder


@dataclass(frozen=True, slots=True)
class Order:
    """One request as the reconciler sees it: who asks, for which resource type, in which dialect.

    ``expected`` holds the versions that If-Match allows (None = any); ``request`` is the request id for the log.
    """

    client: Client
    resource_type: ResourceType
    dialect: Dialect
    request: str | None = None
    expected: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a request left behind; ``changed`` is False where nothing had to be written."""

    resource: StoredResource
    created: bool = False
    changed: bool = True


class Push:
    """Create, replace, patch and delete users and groups on behalf of a provisioning client."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, order: Order, body: Any) -> Written:
        """The resource exists; for someone a pulled directory already told, the client is linked to that user.

        Raises Uniqueness (and records the duplicate) where another resource holds the name or an address.
        """
        document = validate_create(body, order.resource_type, order.dialect)
        steps = _member_steps(document)
        return self._within(order, lambda session, origin: self._create(session, order, origin, document, steps))

    def replace(self, order: Order, resource_id: str, body: Any) -> Written:
        """The resource is what the body says (RFC 7644 section 3.5.1)."""

        def change(session: Session, origin: Origin) -> Written:
            loaded = _load(session, order, resource_id)
            before = parse_stored(loaded.document)
            document = validate_replace(body, order.resource_type, before, order.dialect)
            steps = _member_steps(document, replacing=True) if loaded.type == "Group" else []
            return self._update(session, order, origin, loaded, before, {**document, "id": loaded.id}, steps)

        return self._within(order, change)

    def patch(self, order: Order, resource_id: str, operations: Sequence[Operation]) -> Written:
        """All operations are applied, or none (RFC 7644 section 3.5.2)."""
        kept, steps = split(operations, order.resource_type, order.dialect)

        def change(session: Session, origin: Origin) -> Written:
            loaded = _load(session, order, resource_id)
            before = parse_stored(loaded.document)
            after = apply(before, kept, order.resource_type, order.dialect)
            return self._update(session, order, origin, loaded, before, after, steps)

        return self._within(order, change)

    def delete(self, order: Order, resource_id: str) -> None:
        """The client no longer sees the resource; the resource goes when nobody else vouches for it."""

        def change(session: Session, origin: Origin) -> None:
            loaded = _load(session, order, resource_id)
            depart(session, loaded, order.resource_type, origin, order.client)

        self._within(order, change)

    def _within(self, order: Order, change: Callable[[Session, Origin], Result]) -> Result:
        """Run the change in a transaction, again where a concurrent push took a claim meanwhile."""
        tenant = order.client.tenant_id
        for _ in range(_ATTEMPTS):
            origin = Origin(order.client.source_id, order.client.token_name, to_text(self._clock.now()), order.request)
            try:
                with self._database.writing(tenant) as session:
                    try:
                        return change(session, origin)
                    except Refused as refused:  # before anything is written, so this record is all there is to commit
                        record(session, refused, origin)
                        detail = refused.detail(order.client)
            except (ClaimLost, TransactionLost):
                continue
            raise Uniqueness(detail)
        raise Conflict("The resource is being changed by several requests at once. Send the request again.")

    def _create(
        self, session: Session, order: Order, origin: Origin, document: Document, steps: Sequence[MemberStep]
    ) -> Written:
        client, anchors = order.client, anchors_of(document, order.client)
        twin = same_person(session, anchors)
        known = twin is not None and is_linked(session, twin, client)
        if twin is not None and not known:
            before = parse_stored(twin.document)
            asked = {**before, **document, "id": twin.id}
            written = self._update(session, order, origin, twin, before, asked, steps, asserted=document)
            settle(session, client.source_id, object_of(document), origin.at)
            return Written(written.resource, created=True)
        proposal = new_proposal(document, order.resource_type, client, anchors, origin.at)
        decision = decide(session, [proposal])
        if decision.refused:
            raise Refused(proposal, decision.refused[proposal.resource_id], object_of(proposal.after))
        if twin is not None and known:
            raise Uniqueness(f"externalId is already provisioned: it belongs to the user with the id {twin.id}.")
        pk = write(session, [proposal], origin)[proposal.resource_id]
        settle(session, client.source_id, object_of(proposal.after), origin.at)
        membership.carry_out(session, pk, proposal.resource_id, steps, origin)
        return Written(
            _row(
                pk,
                proposal.resource_id,
                proposal.after,
                1,
                origin.at,
                origin.at,
                order.resource_type.name,
                is_new=True,
            ),
            created=True,
        )

    def _update(
        self,
        session: Session,
        order: Order,
        origin: Origin,
        loaded: Loaded,
        before: Document,
        asked: Document,
        steps: Sequence[MemberStep],
        asserted: Document | None = None,
    ) -> Written:
        proposal = update_proposal(
            session,
            order.client,
            order.resource_type,
            origin.at,
            loaded=loaded,
            before=before,
            asked=asked,
            asserted=asserted,
            anchors=anchors_of(asked, order.client),
        )
        changed = proposal is not None and bool(proposal.changes)
        if proposal is not None:
            self._write_update(session, order, origin, proposal)
        if membership.carry_out(session, loaded.pk, loaded.id, steps, origin) and not changed:
            touch(session, loaded.pk, origin.at)
            changed = True
        version, at = (loaded.version + 1, origin.at) if changed else (loaded.version, loaded.modified_at)
        document = proposal.after if proposal else before
        return Written(
            _row(loaded.pk, loaded.id, document, version, loaded.created_at, at, loaded.type), changed=changed
        )

    def _write_update(self, session: Session, order: Order, origin: Origin, proposal: Proposal) -> None:
        """The proposal is written; with it what the client was refused earlier and now fits."""
        if not proposal.claims_change:
            write(session, [proposal], origin)
            return
        pending = replayed(session, order.client, order.resource_type, origin, besides=proposal)
        decision = decide(session, [proposal, *pending])
        if pending and proposal.resource_id in decision.refused:
            decision = decide(session, [proposal])  # what is asked now is not withheld for what was asked once
        if proposal.resource_id in decision.refused:
            raise Refused(proposal, decision.refused[proposal.resource_id], proposal.link.immutable_id)
        write(session, decision.accepted, origin)
        for accepted in decision.accepted:
            settle(session, order.client.source_id, accepted.link.immutable_id, origin.at)


def _load(session: Session, order: Order, resource_id: str) -> Loaded:
    loaded = load(session, order.resource_type.name, resource_id, order.client.source_id)
    if loaded is None:
        raise NotFound(f"There is no {order.resource_type.name} with the id {resource_id[:100]}.")
    if order.expected is not None and str(loaded.version) not in order.expected:
        raise PreconditionFailed(
            f"The {order.resource_type.name} was changed by somebody else: its version is now {loaded.version}."
        )
    return loaded


def _member_steps(document: Document, *, replacing: bool = False) -> list[MemberStep]:
    """The members of a whole document as steps; the document no longer has them."""
    ids = tuple(member["value"] for member in document.pop("members", ()) if member.get("value"))
    if replacing:
        return [Replace(ids)]
    return [Add(ids)] if ids else []


def _row(
    pk: int,
    resource_id: str,
    document: Document,
    version: int,
    created_at: str,
    modified_at: str,
    kind: str,
    *,
    is_new: bool = False,
) -> StoredResource:
    # Whether an older one is in a group is not known here; the reader looks, and that costs one statement.
    text = orjson.dumps(document).decode()
    return StoredResource(pk, resource_id, kind, text, version, created_at, modified_at, in_group=not is_new)
