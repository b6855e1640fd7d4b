"""The first page: what is there, what needs a hand, and how to begin."""

from flask import render_template

from scim_server.store.reads.duplicates import count_cases
from scim_server.store.reads.overview import count_resources
from scim_server.web.console.site import admin, bp, read, tenant
from scim_server.web.scim.exchange import base_url


@bp.get("")
def show_overview() -> str:
    """Counts, sources and the next step."""
    with read() as session:
        counts = count_resources(session)
        duplicates = count_cases(session)
    sources = [source for source in admin().sources.list(tenant()) if source.kind != "local"]
    return render_template(
        "pages/overview.html", counts=counts, duplicates=duplicates, sources=sources, tenant_url=base_url()
    )
