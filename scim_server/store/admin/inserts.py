"""Inserts that leave a taken name alone and say so."""

from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Column, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.statements import Statement


def insert_new(table: Table, *columns: str, returning: Column[Any]) -> Statement:
    """An insert that gives ``returning`` of the new row, and no row where a unique key is taken."""
    values: dict[str, BindParameter[Any]] = {column: bindparam(column) for column in columns}

    def build(dialect: str) -> ClauseElement:
        if dialect == "sqlite":
            return sqlite.insert(table).values(values).on_conflict_do_nothing().returning(returning)
        return postgresql.insert(table).values(values).on_conflict_do_nothing().returning(returning)

    return Statement(build)
