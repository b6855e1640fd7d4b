"""What SQLite's planner believes about the tables: told once, instead of measured.

Without statistics SQLite takes the first column of every key for selective. Here that is the tenant, and most
installations have one: look-ups then walk a whole tenant instead of an index. Statistics that grow with the data would
change plans in operation, so the shape of a large installation is written down (https://www.sqlite.org/fileformat2.html,
"The sqlite_stat1 table").
"""

from sqlalchemy import Connection, text

_ROWS = 1_000_000
_FEW = {
    "tenant_id": 1,
    "type": 2,
    "state": 1,
    "status": 4,
    "ns": 3,
    "kind": 3,
    "source_id": 2,
    "attribute": 25,
    "element": 2,
    "norm_version": 1,
    "hash": _ROWS,
}
"""How many different values a column has in a large installation; a column not named here has about _MANY."""
_MANY = 100_000


def write_statistics(connection: Connection) -> None:
    """Every index of the SQLite database has its statistics; connections opened from now on plan by them."""
    connection.execute(text("ANALYZE tenants"))  # creates the table of statistics
    connection.execute(text("DELETE FROM sqlite_stat1"))
    tables = connection.execute(
        text(
            "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master "
            "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ).all()
    insert = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)")
    for table, without_rowid in tables:
        for _, index, unique, origin, _partial in connection.execute(
            text("SELECT * FROM pragma_index_list(:table)"), {"table": table}
        ).all():
            columns = connection.execute(text("SELECT name FROM pragma_index_info(:index)"), {"index": index}).scalars()
            # the primary key of a table without rowid is listed under the table's own name
            name = table if origin == "pk" and without_rowid else index
            stat = _estimate(list(columns), bool(unique))
            connection.execute(insert, {"table": table, "index": name, "stat": stat})


def _estimate(columns: list[str], unique: bool) -> str:
    """Rows in all, then rows that remain when the first, the first two, ... columns are given."""
    numbers, remaining = [_ROWS], float(_ROWS)
    for column in columns:
        remaining = max(remaining / _FEW.get(column, _MANY), 1.0)
        numbers.append(round(remaining))
    if unique:
        numbers[-1] = 1
    return " ".join(map(str, numbers))
