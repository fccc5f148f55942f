"""An operator that knows of no installation but itself writes over whatever ours writes."""

from tests.component.batchjob.runs import JOB, SPEC
from tests.support.installation import Installation
from tests.support.manifests import POLICY, SPECS

from awsbatch_operator.api.metadata import RESOLVED

HOUR = 3600.0


class Rival:
    """It answers each change of the object at once, with a status, or a record, of its own."""

    def __init__(self, there, key, *, record=False):
        self.there, self.key, self.record = there, key, record
        self.changes = 0  # of the object, by whomever
        self.turns = 0
        self._answering = False
        self.end = there.kube.subscribe(self._seen)

    def _seen(self, _, body):
        if body["metadata"]["name"] != self.key.name or body["kind"] != self.key.kind:
            return
        self.changes += 1
        if not self._answering:
            self._answering = True
            self._answer(body)
            self._answering = False

    def _answer(self, body):
        self.turns += 1
        if self.record:
            self.there.kube.annotate(self.key, **{RESOLVED: None})
            return
        conditions = [
            {
                "type": "Ready",
                "status": "False",
                "reason": "ScopeChanged",
                "message": f"The rival has looked {self.turns} times.",
                "lastTransitionTime": self.there.clock.now().rfc3339(),
                "observedGeneration": body["metadata"]["generation"],
            }
        ]
        status = {"observedGeneration": 1, "conditions": conditions}
        saved = self.there.kube.objects
        saved.save(self.key, {**saved.get(self.key), "status": status})


async def test_against_a_status_that_is_always_written_over_a_few_writes_an_hour_are_made():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        rival = Rival(there, POLICY)
        there.kube.annotate(POLICY, example="it begins")
        await there.clock.advance(HOUR)
        assert 10 <= rival.changes <= 60
        calls = len(there.calls)
        before = rival.changes
        await there.clock.advance(HOUR)
        assert rival.changes - before <= 26  # one of ours in five minutes, and its answer
        assert there.metric("writes_undone_total", kind="SchedulingPolicy") >= 10
        assert len(there.calls) - calls <= 200
        told = [text for reason, text in there.events(POLICY) if reason == "WritesUndone"]
        assert told
        assert "--exclude-namespaces" in told[0]
        rival.end()
        await there.until_ready(POLICY, within=400)


async def test_an_edit_is_heeded_at_once_whoever_writes_over_the_status():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        rival = Rival(there, POLICY)
        there.kube.annotate(POLICY, example="it begins")
        await there.clock.advance(HOUR)
        rival.end()
        (arn,) = [
            each["arn"] for each in there.aws().list_scheduling_policies()["schedulingPolicies"]
        ]
        changed = {"fairsharePolicy": {**SPECS[POLICY]["fairsharePolicy"], "shareDecaySeconds": 77}}
        there.apply(POLICY, changed)
        await there.clock.advance(1)
        (shown,) = there.aws().describe_scheduling_policies(arns=[arn])["schedulingPolicies"]
        assert shown["fairsharePolicy"]["shareDecaySeconds"] == 77


async def test_against_a_record_that_is_always_taken_away_a_few_writes_an_hour_are_made():
    there = Installation()
    async with there.running():
        there.apply(POLICY, SPECS[POLICY])
        await there.until_ready(POLICY)
        rival = Rival(there, POLICY, record=True)
        there.kube.annotate(POLICY, example="it begins")
        await there.clock.advance(HOUR)
        assert rival.changes <= 60


async def test_of_a_job_that_waits_as_little_is_written():
    there = Installation()
    async with there.running():
        there.apply(JOB, SPEC)
        await there.until(JOB, "Reconciling", "ReferenceNotFound")
        rival = Rival(there, JOB)
        there.kube.annotate(JOB, example="it begins")
        await there.clock.advance(HOUR)
        assert rival.changes <= 60
