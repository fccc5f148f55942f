"""In which account something is removed: the one that was recorded, and never another."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.unit.kinds.values import ACCOUNT, RECORDED, REGION, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.accounts import Accounts, OwnIdentity
from awsbatch_operator.kinds.scope_record import recorded_in

THEIRS, NOBODYS = "222233334444", "999900001111"
SERVES = {"allowedNamespaces": {"names": ["science"]}}


class Caller:
    """STS, as the operator's own identity sees it."""

    def __init__(self, account: str) -> None:
        self._account = account

    async def caller(self, scope: Scope | None) -> dict[str, str]:
        assert scope in (None, Scope("", REGION))
        return {"Account": self._account}


def account(name: str, number: str, *, usable: bool = True, **spec: Any) -> dict[str, Any]:
    """A body of an AWSAccount that leads to that account."""
    condition = {"type": "Ready", "status": str(usable), "observedGeneration": 1}
    condition |= {"reason": "Ready", "message": "", "lastTransitionTime": "2027-01-15T08:00:00Z"}
    return {
        "apiVersion": API_VERSION,
        "kind": "AWSAccount",
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "7",
            "generation": 1,
            "creationTimestamp": "2027-01-15T08:00:00Z",
        },
        "spec": {"roleArn": f"arn:aws:iam::{number}:role/{name}", **SERVES, **spec},
        "status": {"accountId": number, "conditions": [condition]},
    }


async def scope_for_removal(*bodies: dict[str, Any], own: str = ACCOUNT, **spec: Any) -> Any:
    """Where an object is removed of whose record only the status is left."""
    clock = SteppedClock()
    cache = Cache(clock=clock)
    for body in bodies:
        cache.put(body)
    identity: Any = Caller(own)
    homes = Accounts(
        cache=cache,
        kube=MemoryKube([], clock=clock, namespaces={"science": {}}),
        identity=identity,
        clock=clock,
        own=OwnIdentity(cluster_id="lab", region="us-east-1"),
    )
    status = {"accountId": ACCOUNT, "region": REGION, "awsName": RECORDED.aws_name}
    of = resource("JobQueue", spec, status=status, deleting=True)
    recorded = recorded_in(of)
    assert recorded is not None
    return await homes.of_record(of, recorded)


def blocked(answer: Any) -> str:
    assert isinstance(answer, Finding)
    assert answer.reason is catalogue.ACCOUNT_UNAVAILABLE
    return answer.message


async def test_an_account_that_is_known_by_its_number_is_our_own_if_we_are_in_it():
    answer = await scope_for_removal(account("research", THEIRS))
    assert answer == Scope(ACCOUNT, REGION)


async def test_an_account_that_is_known_by_its_number_is_found_among_the_awsaccounts():
    answer = await scope_for_removal(
        account("a-first", THEIRS), account("research", ACCOUNT), own=NOBODYS
    )
    assert answer == Scope(ACCOUNT, REGION, role_arn=f"arn:aws:iam::{ACCOUNT}:role/research")


@pytest.mark.parametrize(
    "others", [(), (account("research", THEIRS),), (account("default", THEIRS),)]
)
async def test_where_nobody_leads_to_the_account_nothing_is_removed_anywhere(others):
    message = blocked(await scope_for_removal(*others, own=NOBODYS))
    assert f"lives in the AWS account {ACCOUNT}" in message


async def test_the_default_account_of_today_is_not_taken_for_the_recorded_one():
    answer = await scope_for_removal(account("default", THEIRS), own=ACCOUNT)
    assert answer == Scope(ACCOUNT, REGION)


@pytest.mark.parametrize(
    "first",
    [
        account("a-first", ACCOUNT, allowedNamespaces={"names": ["other"]}),
        account("a-first", ACCOUNT, usable=False),
    ],
)
async def test_of_two_that_lead_there_the_one_that_serves_the_namespace_is_taken(first):
    answer = await scope_for_removal(first, account("second", ACCOUNT), own=NOBODYS)
    assert answer == Scope(ACCOUNT, REGION, role_arn=f"arn:aws:iam::{ACCOUNT}:role/second")
    only = blocked(await scope_for_removal(first, own=NOBODYS))
    assert "a-first" in only


async def test_an_account_that_the_spec_names_is_the_one_that_is_asked():
    message = blocked(
        await scope_for_removal(
            account("research", THEIRS),
            account("second", ACCOUNT),
            accountRef={"name": "research"},
        )
    )
    assert f"lives in the AWS account {ACCOUNT}" in message
    assert THEIRS in message


@pytest.mark.parametrize(
    ("shown", "to_look", "reached"),
    [(ACCOUNT, True, True), (ACCOUNT, False, False), (THEIRS, True, False), (None, True, False)],
)
async def test_an_account_that_serves_the_namespace_no_more_is_looked_into_if_the_status_says_so(
    shown, to_look, reached
):
    """The status is the operator's own word; the record alone could be anybody's."""
    clock = SteppedClock()
    cache = Cache(clock=clock)
    cache.put(account("research", ACCOUNT, allowedNamespaces={"names": ["other"]}))
    identity: Any = Caller(NOBODYS)
    homes = Accounts(
        cache=cache,
        kube=MemoryKube([], clock=clock),
        identity=identity,
        clock=clock,
        own=OwnIdentity(cluster_id="lab"),
    )
    status = {"region": REGION} | ({"accountId": shown} if shown else {})
    recorded = replace(RECORDED, account="research", account_id=ACCOUNT, region=REGION)
    answer = await homes.of_record(resource("BatchJob", status=status), recorded, to_look=to_look)
    assert isinstance(answer, Scope) == reached


async def test_a_record_of_our_own_identity_is_not_looked_for_among_the_awsaccounts():
    clock = SteppedClock()
    cache = Cache(clock=clock)
    cache.put(account("research", ACCOUNT))
    identity: Any = Caller(NOBODYS)
    homes = Accounts(
        cache=cache,
        kube=MemoryKube([], clock=clock),
        identity=identity,
        clock=clock,
        own=OwnIdentity(cluster_id="lab"),
    )
    recorded = replace(RECORDED, account="")
    message = blocked(await homes.of_record(resource("JobQueue", deleting=True), recorded))
    assert NOBODYS in message


@pytest.mark.parametrize(
    ("recorded_account", "role", "refused"),
    [
        ("research", f"arn:aws:iam::{ACCOUNT}:role/batch-x", False),
        ("research", f"arn:aws:iam::{ACCOUNT}:role/admin", True),
        ("gone", f"arn:aws:iam::{ACCOUNT}:role/batch-x", True),
        (None, f"arn:aws:iam::{ACCOUNT}:role/batch-x", True),  # known by its number only
        ("", f"arn:aws:iam::{ACCOUNT}:role/admin", False),  # our own identity has no limit here
    ],
)
def test_who_edits_an_object_that_is_being_deleted_gets_no_role_that_a_new_one_would_not(
    recorded_account, role, refused
):
    clock = SteppedClock()
    cache = Cache(clock=clock)
    allowed = [f"arn:aws:iam::{ACCOUNT}:role/batch-*"]
    cache.put(account("research", ACCOUNT, allowedRoleArns=allowed))
    identity: Any = Caller(ACCOUNT)
    homes = Accounts(
        cache=cache,
        kube=MemoryKube([], clock=clock),
        identity=identity,
        clock=clock,
        own=OwnIdentity(cluster_id="lab"),
    )
    of = resource("ComputeEnvironment", {"serviceRole": role}, deleting=True)
    assert homes.refuses_roles(of, replace(RECORDED, account=recorded_account)) is refused
