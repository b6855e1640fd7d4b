"""What commands work with, made when first used: settings, database and the administration on top of it."""

from datetime import datetime
from functools import cached_property

import click

from scim_server.admin.administrators import Administrators
from scim_server.admin.errors import Refused
from scim_server.admin.jobs import Jobs
from scim_server.admin.schedules import Schedules
from scim_server.admin.schemas import Schemas
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import Sources
from scim_server.admin.tenants import Tenants
from scim_server.admin.tokens import Tokens
from scim_server.domain.times import Clock, SystemClock
from scim_server.readers import Readers, check_settings
from scim_server.reconciler.rules import apply_rules
from scim_server.settings import Settings
from scim_server.store.engine import Database, StoreUnavailable
from scim_server.store.revisions import current, newest


class Context:
    """One run of the command line."""

    def __init__(self, settings: Settings | None = None) -> None:
        if settings is not None:
            self.settings = settings
        self.clock: Clock = SystemClock()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the environment; raises InvalidSettings."""
        return Settings.from_environment()

    @cached_property
    def database(self) -> Database:
        """The database, once it has the tables of this version; raises Refused before."""
        file = self.settings.database_file
        database = Database(self.settings.database, pool_size=2)
        try:
            at = current(database) if file is None or file.exists() else None
            if at != newest():
                raise Refused(
                    f"the database is at revision {at or 'none'}, this version needs {newest()}: "
                    "run `scim-server db upgrade`"
                )
        except (Refused, StoreUnavailable):
            database.close()
            raise
        return database

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.settings.secret_keys())

    @cached_property
    def tenants(self) -> Tenants:
        return Tenants(self.database, self.clock, apply_rules)

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.database, self.clock, self.secrets, check_settings)

    @cached_property
    def readers(self) -> Readers:
        return Readers(self.sources)

    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.database, self.clock)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs that this command works off itself: nobody else is told of them."""
        return Jobs(self.database, self.clock, lambda _ref: None)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.database, self.clock)

    @cached_property
    def administrators(self) -> Administrators:
        return Administrators(self.database, self.clock)

    @cached_property
    def schemas(self) -> Schemas:
        return Schemas(self.database, self.clock)

    def tenant_id(self, name: str) -> int:
        """The id of the tenant of that name. Before anything was set up, ``default`` comes to be."""
        if name == "default":
            return self.tenants.ensure_default()[0].id
        return self.tenants.get(name).id

    def now(self) -> datetime:
        return self.clock.now()

    def close(self) -> None:
        """The database is let go of, if it was used."""
        if "database" in self.__dict__:
            self.database.close()


pass_context = click.make_pass_decorator(Context)
