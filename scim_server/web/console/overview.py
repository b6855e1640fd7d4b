"""The first page: what is there, what happened lately, what needs a hand, and how to begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flask import render_template, url_for

from scim_server.admin.sources import Source, SourceKind
from scim_server.domain.plan import PlanStatus
from scim_server.store.reads.duplicates import count_cases
from scim_server.store.reads.overview import count_changes, count_resources
from scim_server.store.reads.plans import PlanCase, list_plans
from scim_server.web.console.site import admin, bp, read, tenant
from scim_server.web.scim.exchange import base_url, services

_DAYS: Final = 30
_EXPIRES_SOON: Final = timedelta(days=30)
_SILENT: Final = timedelta(minutes=80)
"""Two cycles: Entra ID provisions every 40 minutes (Microsoft, "How application provisioning works")."""


@dataclass(frozen=True)
class Concern:
    """Something that needs a hand, and where."""

    text: str
    address: str


@bp.get("")
def show_overview() -> str:
    """Counts, sources, activity and concerns; on an empty server the steps to begin with."""
    today = services().clock.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(_DAYS))]
    sources = [source for source in admin().sources.list(tenant()) if source.kind is not SourceKind.LOCAL]
    with read() as session:
        last = {source.id: next(iter(list_plans(session, 1, source.id)), None) for source in sources}
        shown = {
            "counts": count_resources(session),
            "duplicates": count_cases(session),
            "activity": list(zip(days, count_changes(session, days), strict=True)),
        }
    return render_template(
        "pages/overview.html",
        sources=sources,
        last=last,
        schedules={schedule.source: schedule for schedule in admin().schedules.list(tenant())},
        concerns=[*_concerns_of_runs(sources, last), *_concerns_of_tokens()],
        tenant_url=base_url(),
        **shown,
    )


def _concerns_of_runs(sources: Sequence[Source], last: dict[int, PlanCase | None]) -> list[Concern]:
    """Blocked plans and sources whose last run failed."""
    found = []
    for source in sources:
        plan = last[source.id]
        if plan is None or plan.status not in (PlanStatus.BLOCKED, PlanStatus.FAILED):
            continue
        words = "is held back and waits for an approval" if plan.status == PlanStatus.BLOCKED else "failed"
        found.append(Concern(f"The last run of {source.name} {words}.", _run(plan.id)))
    return found


def _concerns_of_tokens() -> list[Concern]:
    """Tokens about to expire, and clients that pushed once and have fallen silent."""
    now = services().clock.now()
    found = []
    latest: dict[str, timedelta] = {}
    for token in admin().tokens.list(tenant()):
        if token.is_valid(now) and token.expires_at and token.expires_at < now + _EXPIRES_SOON:
            left = (token.expires_at - now).days
            found.append(
                Concern(f"The token {token.name} of {token.source} expires in {left} days.", _at(token.source))
            )
        if token.last_used_at:
            silence = now - token.last_used_at
            latest[token.source] = min(silence, latest.get(token.source, silence))
    found += [
        Concern(f"Nothing has been heard of the client of {source} for more than two cycles.", _at(source))
        for source, silence in latest.items()
        if silence > _SILENT
    ]
    return found


def _run(run_id: str) -> str:
    return url_for("console.show_run", run_id=run_id)


def _at(source: str) -> str:
    return url_for("console.show_source", name=source)
