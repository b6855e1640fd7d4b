"""Merging: what belonged to one user belongs to another; the id of the first leads to the second from then on."""

from scim_server.store.engine import Session
from scim_server.store.identities.links import hand_over_links
from scim_server.store.identities.members import hand_over_memberships, numbers_of
from scim_server.store.identities.resources import Loaded, set_survivor


def merge_into(session: Session, loser: Loaded, survivor_id: str) -> None:
    """Links and group memberships of the loser are the survivor's, and the loser's id leads to the survivor."""
    survivor = numbers_of(session, [survivor_id])[survivor_id]
    hand_over_links(session, loser.pk, survivor)
    hand_over_memberships(session, loser.pk, survivor)
    set_survivor(session, loser.pk, survivor_id)
