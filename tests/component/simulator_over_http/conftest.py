"""A simulator on a stepped clock, and boto3 clients that reach it without sockets."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.loaders import create_loader
from tests.support.simulated_aws import ONCE, make_simulator, served

from awsbatch_simulator import inprocess
from awsbatch_simulator.assembly import Simulator


@pytest.fixture(scope="session")
def loader() -> Any:
    return create_loader()


@pytest.fixture
def simulator() -> Simulator:
    return make_simulator()


@pytest.fixture
def session(simulator: Simulator, loader: Any) -> boto3.Session:
    return inprocess.session(simulator, loader=loader)


@pytest.fixture
def client(session: boto3.Session) -> Callable[[str], Any]:
    """A client that sends each request once and leaves validation to the simulator."""
    return lambda service: session.client(service, config=ONCE)


@pytest.fixture
def url(simulator: Simulator) -> Iterator[str]:
    with served(simulator) as address:
        yield address
