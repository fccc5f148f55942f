"""`capacity` of an environment, as long as nothing launches for it, and what is told about it."""

import pytest
from tests.support.crd_cases.capacity import block, pool
from tests.support.crd_cases.cases import patched
from tests.unit.kinds.environments import Model, desired
from tests.unit.kinds.values import NOW

from awsbatch_operator.kinds.computeenvironment.plan import plan_environment

PATH = "spec.capacity.pools[name=main].spotBlock"


def spec(change):
    return patched({}, change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (block(), []),
        (pool(), []),
        ({**pool(), "capacity": None}, []),
        (
            block(durationSeconds=None, blockDurationMinutes=240),
            [
                (
                    f"{PATH}.blockDurationMinutes is an old name. "
                    "Write durationSeconds: 14400 instead; the block stays as it is."
                )
            ],
        ),
    ],
)
def test_the_old_name_of_a_blocks_duration_is_told_and_in_nobodys_way(change, told):
    wanted, model = desired(spec(change)), Model()
    model.converge(spec(change))
    plan = plan_environment(wanted, model.observed(), NOW)
    assert [finding.text() for finding in plan.findings] == told
    assert {finding.severity.value for finding in plan.findings} <= {"Note"}
    assert plan.steps == ()


def test_capacity_is_never_sent_to_aws_batch():
    plan = plan_environment(desired(spec(pool())), None, NOW)
    (step,) = plan.steps
    assert "capacity" not in step.action.request
