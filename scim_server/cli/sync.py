"""``scim-server sync``: read a directory, see what would happen, and let it happen."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click
import orjson

from scim_server.admin.errors import Refused, StillInUse
from scim_server.admin.jobs import ApplyRequest, JobStatus, PreviewRequest
from scim_server.cli.confirmation import ACTOR, FINISHED_IN_PART, apply_plan, ask, count_in_words, succeeded, tell_run
from scim_server.cli.context import Context, pass_context
from scim_server.cli.foreground import work_off
from scim_server.cli.output import Exit, json_option, print_json, print_table, tenant_option, to_json
from scim_server.cli.person import decide, find_objects, find_person, print_steps, tell_written
from scim_server.cli.plans import (
    item_document,
    items_of,
    load_plan,
    plan_document,
    print_plan,
    run_document,
    write_csv,
)
from scim_server.domain.plan import PlanStatus
from scim_server.reconciler.runs import PlanSummary
from scim_server.store.reads.plans import PlanCase, list_plans


@click.group()
def sync() -> None:
    """Read directories, see what would change, and apply it."""


@sync.command("preview")
@click.argument("source")
@click.option("--full", is_flag=True, help="Read everything, not only what changed since the last run.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Only this user; may be given again.")
@tenant_option
@json_option
@pass_context
def preview(context: Context, source: str, full: bool, users: tuple[str, ...], tenant: str, as_json: bool) -> int:
    """Show what a synchronization would do. Nothing is changed; the plan can be applied as it was shown."""
    tenant_id, source_id = _source(context, tenant, source)
    objects = find_objects(context, tenant_id, source_id, users)
    plan = _preview(context, tenant_id, source_id, PreviewRequest(full, objects), quiet=as_json)
    if as_json:
        print_json(plan_document(plan, items_of(context, tenant_id, plan.id)))
    else:
        print_plan(plan, items_of(context, tenant_id, plan.id))
        click.echo(f"\nscim-server sync apply {plan.id} --fingerprint {plan.fingerprint}")
    return Exit.BLOCKED if plan.status is PlanStatus.BLOCKED else Exit.DONE


@sync.command("apply")
@click.argument("plan_id", metavar="PLAN")
@click.option("--fingerprint", required=True, help="Of the plan that was shown; any other is refused.")
@click.option("--component", "components", type=int, multiple=True, help="Only this part of the plan; may be repeated.")
@click.option(
    "--approve",
    "approvals",
    multiple=True,
    metavar="BREAKER=NUMBER",
    help="Apply a blocked plan: the name and the number of each breaker.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
@json_option
@pass_context
def apply(
    context: Context,
    plan_id: str,
    fingerprint: str,
    components: tuple[int, ...],
    approvals: tuple[str, ...],
    yes: bool,
    tenant: str,
    as_json: bool,
) -> int:
    """Do what a preview has shown, and nothing else."""
    tenant_id = context.tenant_id(tenant)
    plan = load_plan(context, tenant_id, plan_id)
    numbers = _numbers(approvals)
    _check(plan, fingerprint, approved=bool(numbers))
    if not as_json:
        ask(plan, yes)
    approver = ACTOR if numbers else ""
    request = ApplyRequest(fingerprint, list(components) or None, approver, numbers)
    return tell_run(apply_plan(context, tenant_id, plan, request, quiet=as_json), as_json)


@sync.command("run")
@click.argument("source")
@click.option("--full", is_flag=True, help="Read everything, not only what changed since the last run.")
@tenant_option
@json_option
@pass_context
def run(context: Context, source: str, full: bool, tenant: str, as_json: bool) -> int:
    """Preview and apply in one. A plan that a breaker holds is not applied: exit code 3."""
    tenant_id, source_id = _source(context, tenant, source)
    job = context.jobs.preview(tenant_id, source_id, PreviewRequest(full, confirm=True), ACTOR)
    previewed = succeeded(work_off(context, job.ref, f"Reading {source}", quiet=as_json))
    if previewed.then is None:
        return tell_run(previewed.summary, as_json)
    applied = succeeded(work_off(context, previewed.then, "Applying", quiet=as_json))
    read_in_part = isinstance(previewed.summary, PlanSummary) and not previewed.summary.complete
    return tell_run(applied.summary, as_json) or (Exit.DONE_IN_PART if read_in_part else Exit.DONE)


@sync.command("one")
@click.argument("source")
@click.argument("name")
@click.option("--explain", is_flag=True, help="Show every step: read, scope, match, decide, write.")
@click.option("--dry-run", is_flag=True, help="Stop before the write.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
@json_option
@pass_context
def one(
    context: Context, source: str, name: str, explain: bool, dry_run: bool, yes: bool, tenant: str, as_json: bool
) -> int:
    """Synchronize one person, by username, e-mail address, display name or immutable id."""
    tenant_id, source_id = _source(context, tenant, source)
    found = find_person(context, tenant_id, source_id, name)
    plan = _preview(context, tenant_id, source_id, PreviewRequest(objects=[found.immutable_id]), quiet=True)
    steps = decide(found, plan, items_of(context, tenant_id, plan.id))
    if not as_json:
        print_steps(steps, explain=explain)
    run = None
    if plan.status is PlanStatus.READY and not dry_run:
        case = load_plan(context, tenant_id, plan.id)
        if not as_json:
            ask(case, yes)
        run = apply_plan(context, tenant_id, case, ApplyRequest(plan.fingerprint), quiet=True)
    written = tell_written(plan, run, items_of(context, tenant_id, plan.id))
    if as_json:
        print_json({"person": name, "steps": [*steps, written], **run_document(run or plan)})
    else:
        print_steps([written], explain=explain)
    if plan.status is PlanStatus.BLOCKED:
        return Exit.BLOCKED
    return Exit.DONE_IN_PART if run and run.status in FINISHED_IN_PART else Exit.DONE


@sync.command("cancel")
@click.argument("run_id", metavar="RUN")
@tenant_option
@json_option
@pass_context
def cancel(context: Context, run_id: str, tenant: str, as_json: bool) -> None:
    """Stop a run between two transactions; what is done stays, and applying the plan again goes on with the rest."""
    job = context.jobs.cancel(context.tenant_id(tenant), run_id)
    stopped = job.status is JobStatus.CANCELLED
    if as_json:
        print_json({"run": job.plan_id, "job": job.id, "status": job.status, "stopping": not stopped})
    else:
        click.echo(f"The {job.kind} {'is cancelled' if stopped else 'stops after the transaction it is in'}.")


@sync.command("history")
@click.argument("source", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@tenant_option
@json_option
@pass_context
def history(context: Context, source: str | None, limit: int, tenant: str, as_json: bool) -> None:
    """List previews and runs, the newest first."""
    tenant_id = context.tenant_id(tenant)
    source_id = context.sources.get(tenant_id, source).id if source else None
    with context.database.reading(tenant_id) as session:
        plans = list_plans(session, limit, source_id)
    if as_json:
        print_json([_history_document(plan) for plan in plans])
        return
    rows = [(plan.id, plan.source, plan.created_at, plan.status, plan.actor, count_in_words(plan)) for plan in plans]
    print_table(("Run", "Source", "Began", "Status", "By", "Users"), rows, empty="Nothing was synchronized yet.")


@sync.command("export")
@click.argument("run_id", metavar="RUN")
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet; no value is taken for a formula.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of standard output.")
@tenant_option
@json_option
@pass_context
def export(context: Context, run_id: str, as_csv: bool, output: Path | None, tenant: str, as_json: bool) -> None:
    """Write down everything a plan does, or a run did, to whom and why; as JSON unless --csv is given."""
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    tenant_id = context.tenant_id(tenant)
    plan = load_plan(context, tenant_id, run_id)
    items = items_of(context, tenant_id, plan.id)
    with output.open("w", encoding="utf-8", newline="") if output else nullcontext(sys.stdout) as file:
        if as_csv:
            write_csv(items, file)
        else:
            document = {**_history_document(plan), "items": [item_document(item) for item in items]}
            file.write(orjson.dumps(to_json(document), option=orjson.OPT_INDENT_2).decode() + "\n")


def _source(context: Context, tenant: str, name: str) -> tuple[int, int]:
    tenant_id = context.tenant_id(tenant)
    return tenant_id, context.sources.get(tenant_id, name).id


def _preview(context: Context, tenant_id: int, source_id: int, request: PreviewRequest, *, quiet: bool) -> PlanSummary:
    job = context.jobs.preview(tenant_id, source_id, request, ACTOR)
    summary = succeeded(work_off(context, job.ref, "Reading", quiet=quiet)).summary
    if not isinstance(summary, PlanSummary):
        raise Refused("the preview came to no plan")
    return summary


def _check(plan: PlanCase, fingerprint: str, *, approved: bool) -> None:
    """Raises Refused where the fingerprint is another plan's, StillInUse where somebody has to look at it first."""
    if plan.fingerprint != fingerprint:
        raise Refused(f"the fingerprint is not that of the plan {plan.id}; look at it again before you apply it")
    if plan.status == PlanStatus.BLOCKED and not approved:
        breakers = " ".join(f"--approve {name}={number}" for name, _, number in orjson.loads(plan.blocked))
        words = " ".join(text for _, text, _ in orjson.loads(plan.blocked))
        raise StillInUse(f"{words} If that is meant to happen: {breakers}")


def _numbers(approvals: Sequence[str]) -> dict[str, int]:
    numbers = {}
    for each in approvals:
        name, _, number = each.partition("=")
        if not number.isdigit():
            raise click.UsageError(f"--approve {each}: write BREAKER=NUMBER as the plan shows them")
        numbers[name] = int(number)
    return numbers


def _history_document(plan: PlanCase) -> dict[str, object]:
    counts = orjson.loads(plan.counts)
    return {
        "run": plan.id,
        "source": plan.source,
        "status": plan.status,
        "reason": plan.reason,
        "full": plan.is_full,
        "by": plan.actor,
        "applied_by": plan.applied_by,
        "approved_by": plan.approved_by,
        "created_at": plan.created_at,
        "finished_at": plan.finished_at,
        "fingerprint": plan.fingerprint,
        "counts": counts.get("User", {}),
        "groups": counts.get("Group", {}),
    }
