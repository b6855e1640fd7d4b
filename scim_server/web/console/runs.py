"""Runs: their history, and one of them from its preview over the confirmation to its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.jobs import ApplyRequest, Job
from scim_server.domain.attributes import differences
from scim_server.domain.plan import PlanStatus
from scim_server.store.reads.plan_pages import components_of, list_items_of
from scim_server.store.reads.plans import ItemCase, PlanCase, find_plan, list_plans
from scim_server.web.console.site import admin, administrator, bp, read, tenant

TABS: Final[Mapping[str, Sequence[str]]] = {
    "Added": ("added", "restored"),
    "Updated": ("modified", "linked", "reactivated"),
    "Deactivated": ("deactivated", "unlinked"),
    "Deleted": ("deleted",),
    "Duplicated": ("duplicated", "dismissed", "blocked_by"),
    "Unchanged": ("unchanged", "out_of_scope"),
    "Problems": ("errors", "stale"),
}
_PAGE: Final = 100
_RUNS: Final = 50
_OPEN: Final = (PlanStatus.READY, PlanStatus.BLOCKED)


@dataclass(frozen=True)
class Run:
    """A plan with its jobs; ``plan`` is None until its reading has begun."""

    id: str
    plan: PlanCase | None
    jobs: Sequence[Job]

    @property
    def job(self) -> Job | None:
        """The job that waits or runs."""
        return next((job for job in self.jobs if not job.is_over), None)

    @property
    def is_open(self) -> bool:
        """Whether the plan waits for its confirmation."""
        return self.plan is not None and self.plan.status in _OPEN and self.job is None

    @property
    def error(self) -> str:
        """Why its last job failed."""
        return self.jobs[-1].error if self.jobs else ""

    def counts(self, kind: str) -> dict[str, int]:
        """Word to number, of users ("User") or of groups ("Group")."""
        return counts_of(self.plan, kind) if self.plan else {}

    @property
    def blocked(self) -> list[tuple[str, str, int]]:
        """Name, words and number of each breaker that holds the plan."""
        return [(name, text, number) for name, text, number in orjson.loads(self.plan.blocked)] if self.plan else []

    def totals(self) -> dict[str, int]:
        """How much is in each tab, users and groups together."""
        users, groups = self.counts("User"), self.counts("Group")
        return {tab: sum(users.get(word, 0) + groups.get(word, 0) for word in words) for tab, words in TABS.items()}


def counts_of(plan: PlanCase, kind: str) -> dict[str, int]:
    """Word to number, of users ("User") or of groups ("Group")."""
    found: dict[str, int] = orjson.loads(plan.counts).get(kind, {})
    return found


@bp.get("/runs")
def show_runs() -> str:
    """The history, running ones on top."""
    with read() as session:
        plans = list_plans(session, _RUNS)
    running = [job for job in admin().jobs.latest(tenant()) if not job.is_over]
    names = {source.id: source.name for source in admin().sources.list(tenant())}
    rows = [(plan, counts_of(plan, "User")) for plan in plans]
    return render_template("pages/runs.html", rows=rows, running=running, names=names)


@bp.get("/runs/<run_id>")
def show_run(run_id: str) -> str:
    """What a plan would do, is doing or has done."""
    run = _find(run_id)
    totals = run.totals()
    tab = request.args.get("tab", next((name for name, number in totals.items() if number), "Added"))
    part, after = request.args.get("q", ""), request.args.get("after", 0, type=int)
    with read() as session:
        items = list_items_of(session, run_id, TABS.get(tab, ()), _PAGE + 1, part=part, after_seq=after)
    return render_template(
        "pages/run.html",
        run=run,
        tab=tab,
        totals=totals,
        part=part,
        without=request.args.getlist("without"),
        items=[(item, _changes(item), orjson.loads(item.reasons)) for item in items[:_PAGE]],
        more=items[_PAGE - 1].seq if len(items) > _PAGE else None,
    )


@bp.get("/runs/<run_id>/progress")
def show_progress(run_id: str) -> Response:
    """How far the job of the run is; when it is over, the browser loads the page anew."""
    run = _find(run_id)
    answer = make_response(render_template("fragments/_progress.html", run=run))
    if run.job is None:
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.get("/runs/<run_id>/confirm")
def confirm_run(run_id: str) -> str:
    """The totals once more, before anything is changed."""
    run = _find(run_id)
    if not run.is_open:
        raise Refused("this plan is not waiting for a confirmation any more; open it to see what became of it")
    return render_template("pages/confirm.html", run=run, totals=run.totals(), without=request.args.getlist("without"))


@bp.post("/runs/<run_id>/apply")
def apply_run(run_id: str) -> ResponseReturnValue:
    """The plan that was shown waits for a worker. Raises Refused where it is another one by now."""
    run = _find(run_id)
    fingerprint = request.form.get("fingerprint", "")
    if run.plan is None or not run.is_open or run.plan.fingerprint != fingerprint:
        raise Refused("the plan has changed since it was shown; nothing was done. Make a new preview")
    left_out = {int(number) for number in request.form.getlist("without") if number.isdigit()}
    components = None
    if left_out:
        with read() as session:
            components = sorted(components_of(session, run_id) - left_out)
    numbers = _numbers(run)
    asked = ApplyRequest(fingerprint, components, administrator().name if numbers else "", numbers)
    admin().jobs.apply(tenant(), run.plan.source_id, run_id, asked, administrator().name)
    return redirect(url_for("console.show_run", run_id=run_id), code=303)


@bp.post("/runs/<run_id>/cancel")
def cancel_run(run_id: str) -> ResponseReturnValue:
    """The job stops between two transactions."""
    _find(run_id)
    admin().jobs.cancel(tenant(), run_id)
    return redirect(url_for("console.show_run", run_id=run_id), code=303)


def _numbers(run: Run) -> dict[str, int]:
    """The number of each breaker, typed by somebody who looked. Raises Refused where one is another."""
    for name, _, number in run.blocked:
        if request.form.get(f"number-{name}", "").strip() != str(number):
            raise Refused(f"to approve, type the number {number} that belongs to {name.replace('_', ' ')}")
    return {name: number for name, _, number in run.blocked}


def _find(run_id: str) -> Run:
    with read() as session:
        plan = find_plan(session, run_id)
    jobs = admin().jobs.of_plan(tenant(), run_id)
    if plan is None and not jobs:
        raise NotThere("there is no such run")
    return Run(run_id, plan, jobs)


def _changes(item: ItemCase) -> dict[str, tuple[Any, Any]]:
    """Attribute to its old and new value; nothing where the object stays as it is."""
    if item.after is None and item.op != "delete":
        return {}
    before, after = (orjson.loads(text) if text else {} for text in (item.before, item.after))
    return differences(before, after, canonical=True)
