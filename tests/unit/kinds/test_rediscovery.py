"""Under which name AWS has the environment of an object that knows nothing of it any more."""

from dataclasses import replace
from unittest import mock

import pytest
from tests.unit.kinds.values import ACCOUNT, RECORDED, REGION, owner, resource

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.computeenvironment.rediscovery import Rediscovery
from awsbatch_operator.kinds.computeenvironment.surroundings import Surroundings

OURS = owner(resource("ComputeEnvironment"))
EARLIER = {**OURS.tags(), "awsbatch.dev/owner-uid": "uid-0"}  # of a cluster before this one
THEIRS = {**EARLIER, "awsbatch.dev/cluster": "theirs"}
NEIGHBOUR = {**EARLIER, "awsbatch.dev/name": "neighbour"}
BASE = RECORDED.aws_name
SECOND, THIRD = f"{BASE}-00000002", f"{BASE}-00000003"  # as a replacement names them
HERE = Scope(ACCOUNT, REGION)


def environment(name, tags, *, state="ENABLED", status="VALID"):
    return {"computeEnvironmentName": name, "tags": tags, "state": state, "status": status}


@pytest.mark.parametrize(
    ("there", "names"),
    [
        ([], (BASE,)),
        ([environment(BASE, EARLIER)], (BASE,)),
        ([environment(BASE, EARLIER), environment(SECOND, EARLIER)], (SECOND, BASE)),
        (
            [environment(BASE, EARLIER), environment(SECOND, EARLIER, status="CREATING")],
            (BASE, SECOND),
        ),
        (
            [environment(BASE, EARLIER, state="DISABLED"), environment(SECOND, EARLIER)],
            (SECOND, BASE),
        ),
        ([environment(SECOND, EARLIER)], (SECOND,)),
        ([environment(SECOND, OURS.tags())], (SECOND,)),
        ([environment(BASE, THEIRS), environment(SECOND, EARLIER)], (SECOND,)),
        ([environment(SECOND, THEIRS), environment(THIRD, NEIGHBOUR)], (BASE,)),
        ([environment("a-copy", EARLIER)], (BASE,)),
        ([environment("a-copy", EARLIER), environment(SECOND, EARLIER)], (SECOND,)),
        ([environment(SECOND, {}), environment(THIRD, {"team": "x"})], (BASE,)),
        (
            [environment(THIRD, EARLIER, state="DISABLED"), environment(SECOND, EARLIER)],
            (SECOND, THIRD),
        ),
        (
            [environment(THIRD, EARLIER, status="INVALID"), environment(SECOND, EARLIER)],
            (SECOND, THIRD),
        ),
        ([environment(SECOND, EARLIER), environment(THIRD, EARLIER)], (THIRD, SECOND)),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
async def test_it_is_found_by_its_tags_where_the_first_name_is_not_its_own(there, names, turned):
    listed = list(reversed(there)) if turned else there
    batch = mock.Mock(spec=BatchPort)
    batch.compute_environment = mock.AsyncMock(
        side_effect=lambda _, name: {e["computeEnvironmentName"]: e for e in there}.get(name)
    )
    batch.compute_environments = mock.AsyncMock(return_value=listed)
    found = await Rediscovery(batch, OURS).look(RECORDED, HERE)
    assert found.names == names
    assert found == replace(RECORDED, current=found.current, predecessors=found.predecessors)
    asked = batch.compute_environment.await_args_list + batch.compute_environments.await_args_list
    assert all("fresh" not in call.kwargs for call in asked), "the feed's answer is enough"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("uid", ["uid-1", "uid-0"])
async def test_of_several_that_no_record_names_the_one_that_drains_does_not_take_over(uid, turned):
    tags = {**OURS.tags(), "awsbatch.dev/owner-uid": uid}
    there = [environment(SECOND, tags, state="DISABLED"), environment(THIRD, tags)]
    for number, detail in enumerate(there):
        detail["computeEnvironmentArn"] = f"arn:{number}"
    batch = mock.Mock(spec=BatchPort)
    listed = mock.AsyncMock(return_value=list(reversed(there)) if turned else there)
    batch.compute_environments, batch.job_queues = listed, mock.AsyncMock(return_value=())
    ecs = mock.Mock(tasks=mock.AsyncMock(return_value=0))
    surroundings = Surroundings(batch=batch, ecs=ecs, cluster_id=OURS.cluster_id)
    of = resource("ComputeEnvironment")
    around = await surroundings.look(of, RECORDED, HERE, there=False, fresh=True)
    assert around is not None
    assert (around.strays or around.remade) == (THIRD, SECOND)
