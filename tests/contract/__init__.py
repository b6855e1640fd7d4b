"""Promises that several implementations keep; the shared tests explain their failures like ordinary ones."""

import pytest

pytest.register_assert_rewrite("tests.contract.reader_contract", "tests.contract.mirror")
