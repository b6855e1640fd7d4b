"""Confirming a plan on the command line: ask, carry it out, tell how it went."""

import sys

import click
import orjson

from scim_server.admin.errors import Refused
from scim_server.admin.jobs import ApplyRequest, JobKind, JobStatus
from scim_server.cli.context import Context
from scim_server.cli.foreground import work_off
from scim_server.cli.output import Exit, print_json
from scim_server.cli.plans import print_counts, run_document
from scim_server.domain.plan import PlanStatus
from scim_server.jobs.worker import Ended
from scim_server.reconciler.runs import PlanSummary, RunSummary
from scim_server.store.reads.plans import PlanCase

ACTOR = "command line"
FINISHED_IN_PART = (PlanStatus.APPLIED_WITH_DRIFT, PlanStatus.CANCELLED)


def apply_plan(
    context: Context, tenant_id: int, plan: PlanCase, request: ApplyRequest, *, quiet: bool
) -> PlanSummary | RunSummary:
    """The run of the plan; one whose worker died is taken over."""
    left = [job for job in context.jobs.of_plan(tenant_id, plan.id) if job.kind is JobKind.APPLY and not job.is_over]
    job = left[0] if left else context.jobs.apply(tenant_id, plan.source_id, plan.id, request, ACTOR)
    summary = succeeded(work_off(context, job.ref, "Applying", quiet=quiet)).summary
    if summary is None:
        raise Refused("the run came to no end")
    return summary


def succeeded(ended: Ended) -> Ended:
    """The job as it ended; raises Refused where it failed, Abort where a preview was stopped."""
    if ended.status is JobStatus.FAILED:
        raise Refused(ended.error)
    if ended.status is JobStatus.CANCELLED and not isinstance(ended.summary, RunSummary):
        raise click.Abort
    return ended


def ask(plan: PlanCase, yes: bool) -> None:
    """On a terminal nothing is written before somebody agrees; elsewhere the fingerprint is the agreement."""
    if yes or not sys.stdin.isatty():
        return
    click.echo(f"{plan.source}: {count_in_words(plan) or 'nothing changes'}")
    click.confirm("Apply?", abort=True, err=True)


def tell_run(summary: PlanSummary | RunSummary | None, as_json: bool) -> Exit:
    """The run is shown; its exit code."""
    if summary is None:
        raise Refused("the run came to no end")
    if as_json:
        print_json(run_document(summary))
    else:
        click.echo(f"{summary.status.value.replace('_', ' ').capitalize()}.")
        print_counts(summary)
        if summary.reason:
            click.echo(summary.reason)
    if summary.status is PlanStatus.BLOCKED:
        if isinstance(summary, PlanSummary) and not as_json:
            for breaker in summary.blocked:
                click.secho(f"{breaker.name} ({breaker.number}): {breaker.text}", fg="red")
        return Exit.BLOCKED
    return Exit.DONE_IN_PART if summary.status in FINISHED_IN_PART else Exit.DONE


def count_in_words(plan: PlanCase) -> str:
    numbers = orjson.loads(plan.counts).get("User", {})
    told = (f"{number} {word.replace('_', ' ')}" for word, number in numbers.items() if number and word != "read")
    return ", ".join(told)
