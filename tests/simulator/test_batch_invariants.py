"""Whatever is called in whatever order, what must never happen does not."""

from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.cloud import Cloud
from tests.simulator.parallel import container, parallel

from awsbatch_simulator.batch import forgetting
from awsbatch_simulator.batch.forgetting import Order
from awsbatch_simulator.batch.lines import DISPATCHED
from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.jobscript import JobScript

SCRIPTS = (
    JobScript(job_name="long*", duration_seconds=300),
    JobScript(job_name="bad*", exit_code=1, duration_seconds=3),
    JobScript(job_name="never*", exit_code=None),
    JobScript(duration_seconds=2),
)
NAMES = st.sampled_from(["long", "bad", "never", "job"])
STEPS = st.one_of(
    st.tuples(st.just("submit"), NAMES, st.integers(0, 3)),
    st.tuples(st.just("array"), NAMES, st.integers(2, 4)),
    st.tuples(st.just("parallel"), NAMES, st.integers(1, 2)),
    st.tuples(st.just("depend"), NAMES, st.integers(0, 5)),
    st.tuples(st.just("forget"), NAMES),
    st.tuples(st.just("CancelJob"), st.integers(0, 9)),
    st.tuples(st.just("TerminateJob"), st.integers(0, 9)),
    st.tuples(st.just("step"), st.sampled_from([0.2, 1, 7, 60])),
    st.tuples(st.just("kill instance"), st.integers(0, 3)),
    st.tuples(st.just("update"), st.sampled_from(["ENABLED", "DISABLED"])),
    st.tuples(st.just("faults"), st.booleans()),
)


class World:
    """A cloud with one queue over two environments, and all jobs that were ever submitted."""

    def __init__(self) -> None:
        self.cloud = Cloud(*SCRIPTS)
        self.cloud.environment("first", maxvCpus=4)
        self.cloud.environment("second", maxvCpus=2, instanceTypes=["c7i.large"], minvCpus=2)
        self.cloud.step(10)
        self.cloud.queue("main", "first", "second")
        self.cloud.definition()
        nodes = [{"targetNodes": "0:", "container": container(1)}]
        parallel(self.cloud, count=1, ranges=nodes, retryStrategy={"attempts": 2})
        self.ids: list[str] = []
        self.ended: dict[str, str] = {}

    def act(self, step: tuple) -> None:
        match step:
            case ("submit" | "array" | "parallel" | "depend", *_):
                self.submit(step)
            case ("CancelJob" | "TerminateJob" as operation, which) if self.ids:
                job_id = self.ids[which % len(self.ids)]
                self.cloud(operation, jobId=job_id, reason="because")
            case ("step", seconds):
                self.cloud.step(seconds)
            case _:
                self.disturb(step)

    def submit(self, step: tuple) -> None:
        match step:
            case ("submit", name, retries):
                self.ids.append(self.cloud.submit(name, retryStrategy={"attempts": retries + 1}))
            case ("array", name, size):
                self.ids.append(self.cloud.submit(name, arrayProperties={"size": size}))
            case ("parallel", name, count):
                nodes = {"numNodes": count}
                self.ids.append(self.cloud.submit(name, definition="mpi", nodeOverrides=nodes))
            case ("depend", name, on) if self.ids:
                depends = [{"jobId": self.ids[on % len(self.ids)]}]
                self.ids.append(self.cloud.submit(name, dependsOn=depends))

    def disturb(self, step: tuple) -> None:
        match step:
            case ("forget", name):
                forgetting.carry_out(self.cloud.world.regions(), Order(job_name=name))
                self.ids = [each for each in self.ids if each in self.cloud.region.batch.jobs]
            case ("kill instance", which):
                alive = [each for each in self.cloud.region.ec2.instances.values()
                         if not each.state.gone]  # fmt: skip
                if alive:
                    victim = alive[which % len(alive)].id
                    self.cloud("TerminateInstances", InstanceIds=[victim])
            case ("update", state):
                if self.cloud.region.batch.environments["first"].status == "VALID":
                    self.cloud("UpdateComputeEnvironment", computeEnvironment="first", state=state)
            case ("faults", True):
                self.cloud.fault("insufficient_capacity", instanceType="m7i.*")
            case ("faults", False):
                self.cloud.world.faults.clear()
            case _:
                pass

    def check(self) -> None:
        self.check_capacity()
        self.check_indexes()
        for job in self.cloud.region.batch.jobs.values():
            self.check_job(job)

    def check_capacity(self) -> None:
        region = self.cloud.region
        for environment in region.batch.environments.values():
            living = region.ec2.managed.get(environment.cluster_arn, {}).values()
            vcpus = sum(2 if each.type.endswith(".large") else 4 for each in living)
            assert vcpus <= (environment.resources or {})["maxvCpus"]
        for cluster in region.ecs.clusters.values():
            for instance in cluster.instances.values():
                used = sum(task.cpu for task in instance.tasks.values())
                assert 0 <= instance.cpu_left == instance.cpu - used
                used = sum(task.memory for task in instance.tasks.values())
                assert 0 <= instance.memory_left == instance.memory - used
                nodes = [task for task in instance.tasks.values() if task.job.node is not None]
                assert instance.single_tenant == bool(nodes)
                assert not nodes or len(instance.tasks) == 1

    def check_indexes(self) -> None:
        store = self.cloud.region.batch
        for queue in store.queues.values():
            jobs = store.queue_jobs(queue)
            orders = [job.order for job in jobs.line]
            assert orders == sorted(orders)
            assert all(job.status is JobStatus.RUNNABLE for job in jobs.line)
            for status, listed in jobs.by_status.items():
                assert all(job.status is status for job in listed)
            used = [job for job in store.jobs.values() if job.status in DISPATCHED]
            vcpus = sum(job.vcpus for job in used if job.node is None)
            assert sum(use.vcpus for use in jobs.used.values()) == vcpus
            assert len(jobs.by_age) == sum(len(each) for each in jobs.by_status.values())
            assert all(not job.status.finished for job in jobs.unfinished.values())

    def check_job(self, job: Job) -> None:
        running = job.status in {JobStatus.STARTING, JobStatus.RUNNING}
        if job.node is None and not job.nodes:
            assert (job.task is not None) == running
        assert len(job.attempts) <= job.attempts_allowed
        assert (job.stopped_at is not None) == job.status.finished
        if job.nodes:
            self.check_nodes(job)
        elif job.children:
            self.check_children(job)
        if job.node is None:
            self.check_end(job)

    def check_end(self, job: Job) -> None:
        if job.id in self.ended:
            assert job.status == self.ended[job.id], "a finished job has changed"
        elif job.status.finished:
            self.ended[job.id] = job.status
        if job.status is JobStatus.SUCCEEDED and not job.array_size:
            assert job.leading.outcome["exitCode"] == 0
        if (job.cancelled or job.terminated) and job.array_size:
            assert job.status is not JobStatus.SUCCEEDED

    def check_children(self, job: Job) -> None:
        count = dict.fromkeys(JobStatus, 0)
        for child in job.children:
            count[child.status] += 1
        assert job.summary == count
        ended = count[JobStatus.SUCCEEDED] + count[JobStatus.FAILED] == job.array_size
        assert job.status.finished == ended

    def check_nodes(self, job: Job) -> None:
        """All hold their room or none does, and the main node is where its job is."""
        placed = job.status in {JobStatus.STARTING, JobStatus.RUNNING}
        for node in job.children:
            assert node.task is None or placed
            assert node.task is not None or not placed or node.status.finished
            assert node.status.finished or not job.status.finished
            if node.task is not None:
                assert node.environment is job.environment
        assert not job.children or job.leading.status is job.status


@given(st.lists(STEPS, max_size=25))
def test_capacity_indexes_and_ends_are_always_consistent(steps):
    world = World()
    for step in steps:
        world.act(step)
        world.check()
    world.cloud.world.faults.clear()
    world.cloud.step(10)
    world.act(("update", "ENABLED"))
    world.cloud.step(20_000)
    world.check()
    for job_id in world.ids:
        assert world.cloud.status(job_id) in {"SUCCEEDED", "FAILED"}, "every job comes to an end"
