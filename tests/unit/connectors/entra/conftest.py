"""Quiet retries: what stamina would log for each is not looked at here."""

from collections.abc import Iterator

import pytest
import stamina.instrumentation


@pytest.fixture(autouse=True)
def quiet_retries() -> Iterator[None]:
    hooks = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(hooks)
