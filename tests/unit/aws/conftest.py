"""A sender over a stub, on a stepped clock, in one thread."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import botocore.session
import pytest
from tests.support.cheap_clients import cheap_sessions
from tests.support.clock import SteppedClock
from tests.support.stub_aws import StubAws

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import LeaseLostError, Scope
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.connect import Aws, connect
from awsbatch_operator.aws.runner import InlineRunner
from awsbatch_operator.aws.sender import AwsContext

ACCOUNT = "111122223333"
SCOPE = Scope(ACCOUNT, "eu-central-1")


@dataclass
class Lease:
    """A fence that a test opens and closes."""

    rest: float = 30.0
    asked: list[float] = field(default_factory=list)

    def check(self, seconds: float) -> None:
        self.asked.append(seconds)
        if self.rest <= seconds:
            raise LeaseLostError("the lease is over")


@dataclass
class Bench:
    """Everything that one test needs."""

    aws: Aws
    stub: StubAws
    clock: SteppedClock
    lease: Lease
    woken: list[ObjectKey]
    observed: list[tuple[str, str, str]]
    context: AwsContext


@pytest.fixture(autouse=True)
def _own_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session", autouse=True)
def _cheap() -> Iterator[None]:
    """Each test has sessions of its own, and they are half of its time."""
    with cheap_sessions():
        yield


@pytest.fixture(scope="session")
def loader():
    """Reads each service's model once for all tests."""
    return botocore.session.Session().get_component("data_loader")


@pytest.fixture
def make_bench(loader) -> Callable[..., Bench]:
    def make(**changes: Any) -> Bench:
        settings = replace(AwsSettings(cluster_id="c1", region="eu-central-1"), **changes)
        stub, clock, lease = StubAws(), SteppedClock(), Lease()
        woken: list[ObjectKey] = []
        observed: list[tuple[str, str, str]] = []
        context = AwsContext(
            clock=clock,
            fence=lease,
            runner=InlineRunner(),
            jitter=random.Random(1),
            observe=lambda service, operation, outcome, *_: observed.append(
                (service, operation, outcome)
            ),
            on_client=stub.attach,
            loader=loader,
        )
        aws = connect(settings, context, woken.append)
        return Bench(aws, stub, clock, lease, woken, observed, context)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
