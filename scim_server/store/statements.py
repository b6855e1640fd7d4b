"""Statements that are compiled once for each database and then run by the driver itself.

Building and compiling a SQLAlchemy Core statement costs several times what the database needs for an indexed read, so
every statement of the request path is a module-level ``Statement``: Core builds it, the driver runs its text.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import CTE, BindParameter, ClauseElement, Dialect, Insert, Table, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate, replacement_traverse

Build = Callable[[str], ClauseElement]


class Compiled:
    """SQL text for one driver, with the order in which it wants its values."""

    __slots__ = ("_fixed", "_names", "sql")

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        self._names: list[str] | None = list(compiled.positiontup) if compiled.positional else None  # type: ignore[attr-defined]  # every SQLCompiler has it
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The values in the form the driver wants: a tuple for SQLite, a mapping for psycopg."""
        if self._names is None:
            return {**self._fixed, **values}
        if self._fixed:
            values = {**self._fixed, **values}
        return tuple([values[name] for name in self._names])


class Statement:
    """A statement with named parameters (``bindparam``), compiled on first use for each dialect."""

    __slots__ = ("_build", "_compiled")

    def __init__(self, clause: ClauseElement | Build) -> None:
        self._build: Build = clause if callable(clause) else lambda _dialect: clause
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            clause = _with_constants_as_text(self._build(dialect.name))
            found = self._compiled[dialect.name] = Compiled(clause, dialect)
        return found


def _with_constants_as_text(clause: ClauseElement) -> ClauseElement:
    """The clause with its own string constants (``state == "live"``) in the SQL text instead of bound.

    Where a partial index could serve, SQLite plans a statement anew each time a bound value changes, which costs
    several times its execution; a constant in the text is planned once, and the index is recognised.
    """

    def replace(element: ExternallyTraversible, **_: Any) -> ExternallyTraversible | None:
        if isinstance(element, BindParameter) and isinstance(element.value, str) and not element.expanding:
            quoted = element.value.replace("'", "''")
            return literal_column(f"'{quoted}'", type_=element.type)
        return None

    if any(isinstance(element, CTE) for element in iterate(clause)):
        return clause  # the copy of a recursive query would no longer refer to itself
    return cast(ClauseElement, replacement_traverse(clause, {}, replace))


def insert_unless_there(table: Table) -> Statement:
    """An insert that does nothing where the primary or a unique key is taken; the row count tells which it was."""

    def build(dialect: str) -> Insert:
        if dialect == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()

    return Statement(build)
