"""Two installations of the operator see the same objects, and one of them serves each."""

from tests.component.batchjob.runs import JOB, SPEC, script
from tests.support.installation import NAMESPACE
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS
from tests.support.side_by_side import LEASE, Neighbours

from awsbatch_operator.api.metadata import INSTALLATION, ObjectKey

JOBS = [ObjectKey("BatchJob", NAMESPACE, f"job-{number}") for number in range(8)]
LASTING = (ENVIRONMENT, QUEUE, DEFINITION)


def submits(there):
    """How many jobs AWS was given, whatever anybody was told."""
    calls = there.simulator.dispatcher.calls
    return sum(calls.count("batch", "SubmitJob", told) for told in ("OK", "DroppedAfterCommit"))


async def ready(there, *more):
    for key in (*LASTING, *more):
        there.apply(key, SPECS[key])
    await there.until_ready(*LASTING, *more, within=900)


def over(there, *jobs):
    return all(there.is_true(job, "Complete") for job in jobs)


async def test_of_two_that_begin_with_a_job_at_one_moment_one_submits_it_and_the_other_is_quiet():
    there = Neighbours()
    theirs = {INSTALLATION: f"two/{LEASE}"}
    async with there.at_work("one", "two", cluster_id="lab"):
        there.apply(POLICY, SPECS[POLICY], annotations=theirs)  # so that both serve something here
        await ready(there, POLICY)
        script(there, 30)
        for key in JOBS:
            there.apply(key, SPEC)
        await there.run_until(lambda: over(there, *JOBS), within=900)
        await there.clock.advance(800)  # two looks at everything
        there.writes.clear()
        await there.clock.advance(700)
        assert there.writes == []
    assert submits(there) == len(JOBS)
    assert there.server(POLICY) == "two"
    for key in JOBS:
        assert there.server(key) in {"one", "two"}
        noted = there.kube.see(key)["metadata"]["annotations"][INSTALLATION]
        assert noted == f"{there.server(key)}/{LEASE}"


async def test_over_an_object_without_a_record_nobody_fights():
    there = Neighbours()
    async with there.at_work("one", "two"):
        there.apply(JOB, SPEC)  # its queue does not exist
        await there.clock.advance(1500)
        assert there.is_true(JOB, "Reconciling", "ReferenceNotFound")
        assert len(there.writes) <= 3  # what the second one tried was refused, once
        assert there.status(JOB)["installation"] == f"{there.server(JOB)}/{LEASE}"


async def test_objects_of_an_earlier_version_are_not_written_for_the_note_alone():
    there = Neighbours()
    async with there.at_work("one"):
        await ready(there)
    for key in LASTING:
        there.kube.annotate(key, **{INSTALLATION: None})
        status = {name: each for name, each in there.status(key).items() if name != "installation"}
        version = there.kube.see(key)["metadata"]["resourceVersion"]
        await there.kube.apply_status(key, status, resource_version=version)
    there.writes.clear()
    async with there.at_work("one"):
        await there.clock.advance(800)
        assert there.writes == []
        there.apply(QUEUE, {**SPECS[QUEUE], "priority": 99})
        await there.until_ready(QUEUE)
        assert there.server(QUEUE) == "one"


async def test_a_namespace_that_is_left_out_is_served_by_the_other_one():
    there = Neighbours()
    elsewhere = ObjectKey("SchedulingPolicy", "other", "fair")
    there.apply(elsewhere, SPECS[POLICY])
    async with there.at_work("cluster", exclude_namespaces=("other",), resync_seconds=60):
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        there.kube.annotate(elsewhere, example="1")
        await there.clock.advance(200)
        assert there.writers(elsewhere) == set()
        async with there.at_work("team", namespaces=("other",)):
            await there.until_ready(elsewhere)
    assert (there.server(POLICY), there.server(elsewhere)) == ("cluster", "team")
