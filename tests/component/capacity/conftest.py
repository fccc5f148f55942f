"""Cheap clients of AWS, a search for garbage that is rare, and a resolver in an account."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from tests.component.capacity.resolver_rig import Rig
from tests.support.cheap_clients import cheap_sessions
from tests.support.simulated_account import Account


@pytest.fixture(autouse=True)
def _cheaply() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    with cheap_sessions():
        yield
    gc.set_threshold(*usual)


@pytest.fixture(scope="session")
def loader() -> Any:
    return botocore.session.Session().get_component("data_loader")


@pytest.fixture(scope="module")
def rig(loader: Any) -> Iterator[Rig]:
    """One for all tests of a module: it takes a while to learn. They change only what is theirs."""
    account = Account(loader)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account.simulator.key.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account.simulator.key.secret_access_key)
        monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield Rig(account, loader)
