"""What every test may use: databases (tests/services.py) and the hypothesis profiles."""

import os

from hypothesis import HealthCheck, settings

from tests.services import (
    bare_database_url,
    database_url,
    postgres,
    postgres_database,
    postgres_url,
    postgresql_url,
    sqlite_template,
    sqlite_url,
)

__all__ = [
    "bare_database_url",
    "database_url",
    "postgres",
    "postgres_database",
    "postgres_url",
    "postgresql_url",
    "sqlite_template",
    "sqlite_url",
]

# The same examples at every run unless asked otherwise; two cores that others use make single examples slow at times.
settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
