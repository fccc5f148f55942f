"""Several features of one job at a time: further runs, gates, definitions inside, and restarts."""

from tests.component.batchjob.again import SAFE, with_both_queues, without_record
from tests.component.batchjob.inline_jobs import inline, revisions
from tests.component.batchjob.runs import FOR_EVER, JOB, SPEC, alive, ready, script, shown
from tests.component.batchjob.test_max_in_flight import NOW, end, filled, limited, named, sent
from tests.support.installation import NAMESPACE, Installation
from tests.support.job_remedies import MULTINODE, NODES
from tests.support.manifests import QUEUE, SPECS, environment, queue

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

OTHER = ObjectKey("ComputeEnvironment", NAMESPACE, "other")


async def until_running(there: Installation, key: ObjectKey, run: int = 1) -> None:
    def runs() -> bool:
        status = there.status(key)
        return (status.get("run"), status.get("awsStatus")) == (run, "RUNNING")

    await there.clock.run_until(runs, within=3600)


# --- places in a queue ---


async def test_a_job_that_is_resumed_waits_for_a_place_like_any_other():
    there = Installation()
    async with there.running():
        await filled(there, 1, "a", "b")
        await until_running(there, named("a"))
        there.apply(named("a"), NOW | {"suspend": True})
        await there.until(named("a"), "Suspended")
        await until_running(there, named("b"))
        there.apply(named("a"), NOW)
        await there.until(named("a"), "Reconciling", "QueueFull")
        await there.clock.advance(700)
        assert (sent(there), alive(there)) == (["a", "b"], 1)
        end(there, "b")
        await until_running(there, named("a"), run=2)


async def test_a_change_after_the_end_waits_for_a_place_like_any_other():
    there = Installation()
    async with there.running():
        await ready(there)
        limited(there, 1)
        await there.until_ready(QUEUE)
        script(there, 5)
        there.apply(named("a"), NOW | {"rerunPolicy": "OnChange"})
        await there.until(named("a"), "Complete", within=900)
        script(there, FOR_EVER)
        there.apply(named("b"), NOW)
        await until_running(there, named("b"))
        changed = {"rerunPolicy": "OnChange", "parameters": {"year": "2025"}}
        there.apply(named("a"), NOW | changed)
        await there.until(named("a"), "Reconciling", "QueueFull")
        await there.clock.advance(700)
        assert (sent(there), alive(there)) == (["a", "b"], 1)


async def test_two_jobs_that_are_lost_to_each_others_full_queue_both_go_on():
    there = Installation()
    async with there.running():
        await with_both_queues(there, JobScript(duration_seconds=5, exit_code=1))
        for key in (QUEUE, SAFE):
            there.apply(key, SPECS[QUEUE] | {"maxInFlight": 1})
        await there.until_ready(QUEUE, SAFE)
        for name, first, second in (("a", QUEUE, SAFE), ("b", SAFE, QUEUE)):
            fallback = {"jobQueueRef": {"name": second.name}, "when": ["ApplicationExit"]}
            there.apply(
                named(name), NOW | {"jobQueueRef": {"name": first.name}, "fallback": fallback}
            )
        await there.until(named("a"), "Failed", within=3600)
        await there.until(named("b"), "Failed", within=3600)
        assert sorted(sent(there)) == ["a", "a", "b", "b"]


# --- a definition in a job that runs more than once ---


async def until_complete(there: Installation, key: ObjectKey) -> None:
    await there.until(key, "Complete", within=1200)


async def ready_with_script(there: Installation, *scripts: JobScript) -> None:
    await with_both_queues(there, *(scripts or (JobScript(duration_seconds=5),)))


async def test_another_definition_in_a_job_runs_and_takes_the_place_of_the_first():
    there = Installation()
    async with there.running():
        await ready_with_script(there)
        there.apply(JOB, inline("one", rerunPolicy="OnChange"))
        await until_complete(there, JOB)
        there.calls.clear()
        there.apply(JOB, inline("two", rerunPolicy="OnChange"))
        await until_complete(there, JOB)
        assert shown(there, "run") == 2
        assert there.calls.count("batch:DescribeJobDefinitions") < 9
        await there.clock.advance(700)
        ran = [each["containerProperties"]["command"] for each in revisions(there)]
        assert ["two"] in ran
        assert ["one"] not in ran


async def test_a_held_job_with_its_definition_inside_is_resumed_by_the_next_process():
    there = Installation()
    async with there.running():
        await ready_with_script(there, JobScript(duration_seconds=FOR_EVER))
        there.apply(JOB, inline("one"))
        await until_running(there, JOB)
        there.apply(JOB, inline("one", suspend=True))
        await there.until(JOB, "Suspended")
    async with there.running():
        await there.clock.advance(60)
        there.apply(JOB, inline("one"))
        await until_running(there, JOB, run=2)
        assert len(revisions(there)) == 2  # with that of `ready`


async def test_a_lost_job_with_its_definition_inside_goes_on_after_a_restart():
    there = Installation()
    fallback = {"jobQueueRef": {"name": SAFE.name}, "when": ["ApplicationExit"]}
    late = JobScript(job_queue="*main*", duration_seconds=600, exit_code=1)
    async with there.running():
        await ready_with_script(there, late, JobScript(duration_seconds=5))
        there.apply(JOB, inline("one", fallback=fallback))
        await until_running(there, JOB)
    async with there.running():
        await until_complete(there, JOB)
        assert (shown(there, "run"), shown(there, "runCause")) == (2, "Lost")


async def test_nodes_are_not_sent_to_a_queue_where_they_never_run_because_a_run_was_lost():
    there = Installation()
    async with there.running():
        await ready_with_script(there, JobScript(duration_seconds=600, exit_code=1))
        there.apply(NODES, MULTINODE)
        there.apply(OTHER, environment(type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED"))
        await there.until_ready(NODES, OTHER)
        there.apply(SAFE, queue("other"))
        await there.clock.advance(60)
        await there.until_ready(SAFE)
        fallback = {"jobQueueRef": {"name": SAFE.name}, "when": ["ApplicationExit"]}
        there.apply(JOB, SPEC | {"jobDefinitionRef": {"name": "nodes"}, "fallback": fallback})
        await until_running(there, JOB)
    async with there.running():
        await there.until(JOB, "Stalled", "MultiNodeNotSupported", within=1800)
        assert alive(there) == 0


# --- what is lost with a record ---


async def test_a_run_in_the_other_queue_is_the_last_one_though_its_record_is_lost():
    there = Installation()
    fallback = {"jobQueueRef": {"name": SAFE.name}, "when": ["ApplicationExit"]}
    late = JobScript(duration_seconds=600, exit_code=1)
    async with there.running():
        await ready_with_script(there, late)
        there.apply(JOB, SPEC | {"fallback": fallback})
        await until_running(there, JOB, run=2)
    without_record(there)
    async with there.running():
        await there.until(JOB, "Failed", within=1800)
        assert shown(there, "run") == 2


# --- the deadline ---


async def test_the_deadline_of_a_job_whose_record_is_lost_does_not_count_from_its_creation():
    there = Installation()
    limited_job = SPEC | {"activeDeadlineSeconds": 900}
    async with there.running():
        await ready(there)
        script(there, FOR_EVER)
        there.apply(JOB, limited_job | {"suspend": True})
        await there.clock.advance(3600)
        there.apply(JOB, limited_job)
        await until_running(there, JOB)
    without_record(there)
    async with there.running():
        await there.clock.advance(300)
        assert alive(there) == 1
        await there.until(JOB, "Failed", "DeadlineExceeded", within=1200)
