"""``scim-server demo directory``: two days of an invented directory, from the first preview to the last count."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from scim_server.admin.errors import NotThere
from scim_server.admin.jobs import ApplyRequest, PreviewRequest
from scim_server.admin.sources import SourceKind
from scim_server.cli.context import Context, pass_context
from scim_server.cli.foreground import work_off
from scim_server.cli.output import Exit, json_option, print_json
from scim_server.cli.plans import action_of, items_of, pick_examples, print_counts, reason_of
from scim_server.domain.plan import PlanStatus
from scim_server.jobs.worker import Ended
from scim_server.reconciler.runs import PlanSummary, RunSummary

_SOURCE = "harbour"
_ACTOR = "demo"
_OF_EACH = 2


@click.command("directory")
@click.option("--keep", is_flag=True, help="Leave the tenant in place, to look around in it.")
@json_option
@pass_context
def play_directory(context: Context, keep: bool, as_json: bool) -> int:
    """Synchronize an invented directory of sixty people on two days.

    In a tenant of its own: each day is previewed, confirmed and counted, with its duplicates, leavers and movers.
    """
    context.tenant_id("default")  # it is there before any other
    with _tenant(context, keep) as (name, tenant_id):
        source = context.sources.add(tenant_id, _SOURCE, SourceKind.SAMPLE)
        days = []
        for day in (1, 2):
            context.sources.edit(tenant_id, _SOURCE, settings={"day": str(day)})
            days.append(_play(context, tenant_id, source.id, day, quiet=as_json))
        succeeded = all(played["status"] == PlanStatus.APPLIED for played in days)
        if as_json:
            print_json({"tenant": name, "kept": keep, "succeeded": succeeded, "days": days})
        else:
            _conclude(name, keep)
    return Exit.DONE if succeeded else Exit.FAILED


@contextmanager
def _tenant(context: Context, keep: bool) -> Iterator[tuple[str, int]]:
    """A tenant that nobody else has; gone afterwards unless it is to be kept."""
    name, number = "demo", 1
    taken = {tenant.name for tenant in context.tenants.list()}
    while name in taken:
        number += 1
        name = f"demo-{number}"
    tenant = context.tenants.create(name)
    try:
        yield tenant.name, tenant.id
    finally:
        if not keep:
            context.tenants.remove(tenant.name)


def _play(context: Context, tenant_id: int, source_id: int, day: int, *, quiet: bool) -> dict[str, Any]:
    """One day: preview, confirmation, counts."""
    job = context.jobs.preview(tenant_id, source_id, PreviewRequest(), _ACTOR)
    plan = _plan(work_off(context, job.ref, f"Day {day}: reading", quiet=quiet))
    if not quiet:
        click.secho(f"Day {day}", bold=True)
        click.echo("The preview reads the directory and changes nothing. It would do this:")
        print_counts(plan)
        users = (item for item in items_of(context, tenant_id, plan.id) if item.kind == "User")
        for item in pick_examples(users, _OF_EACH)[0]:
            click.echo(f"  {action_of(item):<11} {item.display:<32} {reason_of(item)}")
    if plan.status is not PlanStatus.READY:
        return _document(day, plan)
    confirmed = context.jobs.apply(tenant_id, source_id, plan.id, ApplyRequest(plan.fingerprint), _ACTOR)
    run = _run(work_off(context, confirmed.ref, f"Day {day}: applying", quiet=quiet))
    if not quiet:
        click.echo(f"Confirmed with the fingerprint {plan.fingerprint[:12]}..., it did exactly that:")
        print_counts(run)
        click.echo()
    return _document(day, run)


def _plan(ended: Ended) -> PlanSummary:
    if not isinstance(ended.summary, PlanSummary):
        raise NotThere(ended.error or "the preview came to no plan")
    return ended.summary


def _run(ended: Ended) -> RunSummary:
    if not isinstance(ended.summary, RunSummary):
        raise NotThere(ended.error or "the plan was not applied")
    return ended.summary


def _document(day: int, summary: PlanSummary | RunSummary) -> dict[str, Any]:
    return {
        "day": day,
        "status": summary.status,
        "counts": summary.counts.as_dict(),
        "groups": summary.group_counts.as_dict(),
    }


def _conclude(name: str, keep: bool) -> None:
    if keep:
        commands = ("users list", "duplicates list", "sync history")
        click.echo("Look around: " + ", ".join(f"`scim-server {command} --tenant {name}`" for command in commands))
    else:
        click.echo("Everything is removed again; --keep leaves it in place.")
