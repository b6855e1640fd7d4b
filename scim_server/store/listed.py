"""Conditions on a list of values in one parameter, so that a statement stays one however many there are."""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from scim_server.store.engine import Session


def among(column: ColumnElement[Any], parameter: str, dialect: str, *, numbers: bool = False) -> ColumnElement[bool]:
    """The column's value is one of those in the parameter, which ``argument`` makes."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam(parameter)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == func.any(cast(bindparam(parameter), ARRAY(BigInteger if numbers else Text)))


def argument(session: Session, values: Collection[Any]) -> Any:
    """The values as the database wants a list: JSON text, or an array."""
    return orjson.dumps(list(values)).decode() if session.dialect.name == "sqlite" else list(values)
