"""Tolerances are named, traceable to a client, noted when used and absent when strict."""

import pytest

from scim_server.scim.dialects import Dialect, Tolerance


@pytest.mark.parametrize("tolerance", list(Tolerance))
def test_each_tolerance_names_its_client_and_its_golden_exchange(tolerance: Tolerance) -> None:
    assert tolerance.client in {"entra", "okta"}
    assert tolerance.golden == f"{tolerance.client}/{tolerance}.json"


def test_a_tolerance_is_found_by_its_wire_value() -> None:
    assert Tolerance("text_boolean") is Tolerance.TEXT_BOOLEAN


def test_a_dialect_notes_each_tolerance_once_in_the_order_met() -> None:
    dialect = Dialect()
    for tolerance in (Tolerance.REMOVE_WITH_VALUE, Tolerance.TEXT_BOOLEAN, Tolerance.REMOVE_WITH_VALUE):
        assert dialect.tolerates(tolerance)
    assert dialect.applied == [Tolerance.REMOVE_WITH_VALUE, Tolerance.TEXT_BOOLEAN]


@pytest.mark.parametrize("tolerance", list(Tolerance))
def test_a_strict_dialect_tolerates_and_notes_nothing(tolerance: Tolerance) -> None:
    dialect = Dialect(strict=True)
    assert not dialect.tolerates(tolerance)
    assert dialect.applied == []
