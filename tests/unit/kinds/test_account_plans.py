"""What becomes of an AWSAccount that is being deleted: it waits for what lives in it."""

import json
from collections.abc import Iterator

from tests.unit.kinds.values import NOW, resource

from awsbatch_operator.api.metadata import RESOLVED, ObjectKey, Resource
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.awsaccount.plan import plan_removal
from awsbatch_operator.kinds.contract import Removal

OWNER = Owner("c", ObjectKey("AWSAccount", "", "research"), "uid-1")
RECORD = {"account": "research", "accountId": "1", "region": "r", "awsName": ""}
LIVING = resource("BatchJob", annotations={RESOLVED: json.dumps(RECORD)})
GONE = resource("BatchJob", finalizers=())


class Crowd(tuple[Resource, ...]):
    """Users that count how many of them were read."""

    __slots__ = ()

    read = 0

    def __iter__(self) -> Iterator[Resource]:
        for each in super().__iter__():
            Crowd.read += 1
            yield each


def test_of_a_crowd_that_lives_in_an_account_only_some_are_read():
    """Each of them that ends has the account looked at again: all of them each time is too much."""
    Crowd.read = 0
    plan = plan_removal(Removal(OWNER, None, users=Crowd((LIVING,) * 50_000)), NOW)
    assert not plan.released
    assert plan.findings[0].message.startswith("More than 100 object(s) live in this account: ")
    assert Crowd.read <= 101


def test_an_account_is_released_when_nothing_lives_in_it_any_more():
    assert plan_removal(Removal(OWNER, None, users=(GONE,)), NOW).released
    plan = plan_removal(Removal(OWNER, None, users=(LIVING, GONE)), NOW)
    assert plan.findings[0].message.startswith("1 object(s) live in this account: ")
