"""What was taken over has one owner: whoever comes second is refused and told who was first."""

from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.made_elsewhere import SHARED, arn_of, make, spec_of, tags_of, tags_of_all
from tests.support.manifests import DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator.api.tags import CLUSTER, NAME

TAG = "batch:TagResource"


def allowing(**settings):
    return Installation(allow_adoption=True, **settings)


async def adopted(there):
    """All kinds, taken over."""
    await make(there, *LASTING)
    for key in LASTING:
        there.apply(key, spec_of(key))
    await there.until_ready(*LASTING)
    there.calls.clear()


async def test_a_second_owner_is_refused_with_the_name_of_the_first():
    there = allowing()
    seconds = [key._replace(namespace="other") for key in LASTING]
    async with there.running():
        await adopted(there)
        there.apply(seconds[0], SPECS[ENVIRONMENT])  # for the second queue
        await there.until_ready(seconds[0])
        there.calls.clear()
        third = seconds[0]._replace(name="third")
        for second in (third, *seconds[1:]):
            there.apply(second, spec_of(first_of(second)))
        for second in (third, *seconds[1:]):
            message = await there.until(second, "Stalled", "AlreadyExists")
            named = f"it belongs to {second.kind} {NAMESPACE}/{first_of(second).name}."
            assert named in message
        await there.clock.advance(100)
        assert there.changes() == []
        assert there.ready(*LASTING)


def first_of(second):
    return next(key for key in LASTING if key.kind == second.kind)


async def test_the_operator_of_another_cluster_is_refused_with_the_name_of_the_first():
    there = allowing()
    async with there.running():
        await adopted(there)
    rival = allowing(simulator=there.simulator, cluster_id="rival")
    await rival.clock.advance(there.clock.now().epoch - rival.clock.now().epoch)
    async with rival.running():
        rival.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        third = ENVIRONMENT._replace(name="third")
        for key in (third, QUEUE, DEFINITION, POLICY):
            rival.apply(key, spec_of(first_of(key)))
        for key in (third, QUEUE, DEFINITION, POLICY):
            message = await rival.until(key, "Stalled", "AlreadyExists")
            first = f"{key.kind} {NAMESPACE}/{first_of(key).name} of the cluster test-cluster"
            assert f"it belongs to {first}." in message
    tags = tags_of_all(there, *LASTING)
    assert {each[CLUSTER] for each in tags.values()} == {"test-cluster"}


async def test_of_two_that_take_over_at_the_same_time_one_has_it_and_the_other_changes_nothing():
    there = allowing()
    await make(there, POLICY)
    first, second = (POLICY._replace(name=name) for name in ("one", "two"))
    async with there.running():
        there.apply(first, spec_of(POLICY) | manifests.policy("8"))
        there.apply(second, spec_of(POLICY) | manifests.policy("9"))
        await there.clock.run_until(
            lambda: (
                there.ready(first) != there.ready(second)
                and (there.is_true(first, "Stalled") or there.is_true(second, "Stalled"))
            ),
            within=600,
        )
        await there.clock.advance(1000)
        owner, other = (first, second) if there.ready(first) else (second, first)
        assert f"it belongs to SchedulingPolicy {NAMESPACE}/{owner.name}." in str(
            there.condition(other, "Stalled")["message"]
        )
        assert tags_of(there, POLICY)[NAME] == owner.name
    assert there.changes().count("batch:UpdateSchedulingPolicy") == 1


async def test_what_an_object_has_made_is_handed_on_as_the_refusal_says():
    there = allowing()
    second = POLICY._replace(name="second")
    async with there.running():
        there.apply(POLICY, manifests.policy(awsName=SHARED))
        await there.until_ready(POLICY)
        there.apply(second, spec_of(POLICY))
        message = await there.until(second, "Stalled", "AlreadyExists")
        assert "set spec.deletionPolicy of the owner to Retain before that" in message
        there.apply(POLICY, manifests.policy(awsName=SHARED, deletionPolicy="Retain"))
        await there.until_ready(POLICY)
        there.kube.remove(POLICY)
        await there.until_gone(POLICY)
        assert there.is_true(second, "Stalled", "AlreadyExists"), "it may come back"
        left = list(tags_of(there, POLICY))
        there.aws().untag_resource(resourceArn=arn_of(there, POLICY), tagKeys=left)
        await there.until_ready(second, within=300)
    assert there.changes() == ["batch:CreateSchedulingPolicy", TAG]
