"""Scope and references: what lets a turn pass, and what is said when it does not."""

from dataclasses import replace

import pytest
from tests.unit.kinds.values import ACCOUNT, NOW, RECORDED, REGION, at_home, owner, ready, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import RESOLVED, ObjectKey, RecordError
from awsbatch_operator.api.references import Need, Reference
from awsbatch_operator.api.scope import Origin
from awsbatch_operator.kinds import gates
from awsbatch_operator.kinds.awsaccount.plan import plan_removal
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.scope_record import annotation, recorded_in, recorded_time

TARGET = ObjectKey("ComputeEnvironment", "science", "pool")
PATH = "spec.computeEnvironmentOrder[0].computeEnvironmentRef"


def waits(target, need=Need.READY):
    finding = gates.unresolved(Reference(PATH, TARGET, need), target)
    return None if finding is None else (finding.reason, finding.message)


def test_a_target_that_is_not_there_is_waited_for_by_name():
    assert waits(None) == (
        catalogue.REFERENCE_NOT_FOUND,
        f"{PATH}: ComputeEnvironment science/pool does not exist yet.",
    )


def pool(**status):
    """A ComputeEnvironment of which AWS has something that is proven to be its own."""
    return at_home(resource("ComputeEnvironment"), **status)


def test_a_ready_target_that_is_proven_to_be_in_aws_passes():
    assert waits(ready(pool())) is None


def test_ready_for_an_older_generation_is_not_ready():
    target = replace(ready(pool()), generation=2)
    reason, message = waits(target)
    assert reason is catalogue.REFERENCE_NOT_READY
    assert "is not Ready yet" in message


def test_what_stands_already_needs_its_target_only_to_be_known():
    assert waits(pool()) is not None
    assert waits(pool(), Need.IN_AWS) is None
    assert waits(resource("ComputeEnvironment"), Need.IN_AWS) is not None


def test_something_new_uses_what_aws_has_whatever_its_object_waits_for():
    assert waits(pool(), Need.STANDING) is None
    assert waits(resource("ComputeEnvironment"), Need.STANDING) is not None


def test_a_target_that_is_being_deleted_is_not_used_for_anything_new():
    target = replace(ready(pool()), deleting=True)
    for need in (Need.READY, Need.STANDING):
        assert "is being deleted" in waits(target, need)[1]
    assert waits(target, Need.IN_AWS) is None


def environment_arn(name="science-pool-1", account=ACCOUNT, region=REGION, part=None):
    return f"arn:aws:batch:{region}:{account}:{part or 'compute-environment'}/{name}"


@pytest.mark.parametrize(
    ("arn", "its_own"),
    [
        (environment_arn(), True),
        (environment_arn("another-teams"), False),
        (environment_arn("science-pool-1x"), False),
        (environment_arn("science-pool"), False),
        (environment_arn(account="999900001111"), False),
        (environment_arn(region="us-east-1"), False),
        (environment_arn(part="job-queue"), False),
        ("arn:1", False),
        ("", False),
    ],
)
def test_an_arn_is_believed_only_if_the_record_leads_to_it(arn, its_own):
    target = ready(pool(arn=arn))
    assert gates.in_aws(target) is its_own
    assert (waits(target) is None) is its_own
    assert (waits(target, Need.IN_AWS) is None) is its_own


@pytest.mark.parametrize(
    ("kind", "part", "revision"),
    [
        ("JobQueue", "job-queue", ""),
        ("SchedulingPolicy", "scheduling-policy", ""),
        ("JobDefinition", "job-definition", ":12"),
    ],
)
def test_the_arns_of_every_kind_are_compared_with_their_records(kind, part, revision):
    own = f"arn:aws:batch:{REGION}:{ACCOUNT}:{part}/science-pool-1{revision}"
    another = f"arn:aws:batch:{REGION}:{ACCOUNT}:{part}/another-teams{revision}"
    assert gates.in_aws(at_home(resource(kind), arn=own))
    assert not gates.in_aws(at_home(resource(kind), arn=another))


def test_while_an_environment_is_replaced_each_of_its_names_is_its_own():
    recorded = RECORDED.succeeded_by("science-pool-2").promoted().succeeded_by("science-pool-3")
    record = annotation(recorded, NOW)
    for name, known in (("1", True), ("2", True), ("3", True), ("4", False)):
        arn = environment_arn(f"science-pool-{name}")
        assert gates.in_aws(replace(pool(arn=arn), annotations=record)) is known
    gone = annotation(recorded.without("science-pool-1"), NOW)
    assert not gates.in_aws(replace(pool(), annotations=gone))


def test_a_target_whose_record_cannot_be_read_is_not_used():
    target = ready(pool())
    assert not gates.in_aws(replace(target, annotations={RESOLVED: "{nonsense"}))
    assert gates.in_aws(replace(target, annotations={}))  # the status says the same
    # `kubectl replace` of a target holds up none of its users; AWS's tags are asked besides.
    assert gates.in_aws(replace(target, annotations={}, finalizers=()))


def test_a_job_is_known_by_its_id():
    assert gates.in_aws(resource("BatchJob", status={"jobId": "1"}))
    assert not gates.in_aws(resource("BatchJob", status={"arn": "arn:1"}))


def test_a_stalled_target_is_said_to_need_help():
    condition = {"type": "Stalled", "status": "True", "reason": "EnvironmentInvalid", "message": ""}
    target = replace(resource("ComputeEnvironment"), status={"conditions": [condition]})
    assert waits(target)[1].endswith("does not go on by itself: EnvironmentInvalid.")


@pytest.mark.parametrize(
    ("field", "value"), [("account_id", "9"), ("region", "us-east-1"), ("aws_name", "other")]
)
def test_another_account_region_or_name_is_a_changed_scope(field, value):
    finding = gates.scope_changed(RECORDED, replace(RECORDED, **{field: value}))
    assert finding is not None
    assert finding.reason is catalogue.SCOPE_CHANGED
    assert value in finding.message


def test_another_identity_in_the_same_account_is_no_change():
    assert gates.scope_changed(RECORDED, replace(RECORDED, account="research")) is None


@pytest.mark.parametrize(
    ("arn", "elsewhere"),
    [
        (f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/q", False),
        (f"arn:aws:batch:us-east-1:{ACCOUNT}:job-queue/q", True),
        (f"arn:aws:batch:{REGION}:999900001111:job-queue/q", True),
        ("arn:aws:iam::999900001111:role/no-region", False),
        ("nonsense", False),
    ],
)
def test_an_arn_of_another_place_is_refused(arn, elsewhere):
    findings = gates.elsewhere((), {}, (("spec.jobQueueRef", arn),), RECORDED)
    assert bool(findings) is elsewhere


def test_a_record_is_read_back_as_it_was_written():
    made = annotation(RECORDED, ready(resource("JobQueue")).created)
    held = resource("JobQueue", annotations=made)
    assert recorded_in(held) == RECORDED
    assert recorded_time(held) == held.created


@pytest.mark.parametrize(
    "recorded",
    [
        RECORDED.succeeded_by("science-pool-2"),
        RECORDED.succeeded_by("science-pool-2").promoted(),
        RECORDED.succeeded_by("b").promoted().succeeded_by("c").promoted().succeeded_by("d"),
        replace(RECORDED, account="research", origin=Origin.ADOPTED),
    ],
)
def test_names_origin_and_account_survive_the_annotation(recorded):
    held = resource("JobQueue", annotations=annotation(recorded, NOW))
    assert recorded_in(held) == recorded
    assert recorded_time(held) == NOW


def test_a_record_of_an_earlier_version_is_read():
    text = (
        f'{{"account":"","accountId":"{ACCOUNT}","region":"{REGION}",'
        '"awsName":"science-pool-1","time":"2027-01-15T08:00:00Z"}'
    )
    assert recorded_in(resource("JobQueue", annotations={RESOLVED: text})) == RECORDED
    assert annotation(RECORDED, NOW) == {RESOLVED: text}  # and is left as it is


def test_a_lost_record_is_made_up_for_by_the_status_which_knows_the_account_by_its_number():
    status = {"accountId": ACCOUNT, "region": REGION, "awsName": RECORDED.aws_name}
    known = replace(RECORDED, account=None, aws_name="", current=RECORDED.aws_name)
    assert recorded_in(resource("JobQueue", status=status)) == known
    assert recorded_in(resource("JobQueue", status=status, finalizers=())) is None
    assert recorded_in(resource("JobQueue")) is None
    named = resource("JobQueue", {"accountRef": {"name": "research"}}, status=status)
    assert recorded_in(named) == replace(known, account="research")


def test_the_name_that_a_status_shows_may_be_one_that_a_replacement_gave():
    """The first name is what today's spec resolves to; only the record has both."""
    status = {"accountId": ACCOUNT, "region": REGION}
    shown = [RECORDED.aws_name, f"{RECORDED.aws_name}-2"]
    records = [recorded_in(resource("JobQueue", status={**status, "awsName": n})) for n in shown]
    assert [one and gates.scope_changed(one, RECORDED) for one in records] == [None, None]
    completed = [one and gates.completed(one, RECORDED) for one in records]
    assert completed == [RECORDED, replace(RECORDED, current=shown[1])]


def test_the_status_tells_what_was_adopted_and_a_job_never_is():
    status = {"accountId": ACCOUNT, "region": REGION, "deletionPolicy": "Retain"}
    lost = {
        spec: resource("JobQueue", {"deletionPolicy": spec} if spec else {}, status=status)
        for spec in ("", "Retain")
    }
    found = {spec: recorded_in(of) for spec, of in lost.items()}
    assert {spec: one and one.origin for spec, one in found.items()} == {
        "": Origin.ADOPTED,
        "Retain": Origin.CREATED,
    }
    job = recorded_in(resource("BatchJob", status={**status, "jobId": "job-1"}))
    assert job is not None
    assert job.origin is Origin.CREATED  # or it would run on after its deletion


@pytest.mark.parametrize(
    ("status", "finalizers", "stays"),
    [({}, ("x",), False), ({"arn": "arn:1"}, (), True), ({"jobId": "1"}, (), True)],
)
def test_an_account_stays_while_something_in_aws_has_lost_its_finalizer(status, finalizers, stays):
    """`kubectl replace` takes it away, and the object's own turn has not put it back yet."""
    account = resource("AWSAccount", name="default")
    user = resource("JobQueue", status=status, finalizers=finalizers)
    assert plan_removal(Removal(owner(account), None, users=(user,)), NOW).released is not stays


def test_what_the_status_does_not_know_is_todays_answer():
    today = replace(RECORDED, account="research")
    assert gates.completed(replace(RECORDED, account=None), today) == today
    job = replace(RECORDED, account=None, aws_name="")
    assert gates.scope_changed(job, today) is None
    assert gates.completed(job, today) == today


def test_the_account_that_acts_is_recorded_but_the_default_one_takes_nothing_over():
    """Of the operator's own, which an AWSAccount by default must not keep for itself."""
    first = replace(RECORDED, account="first")
    for today in (replace(RECORDED, account="second"), RECORDED):
        assert gates.completed(first, today) == today
    by_default = replace(RECORDED, account="default")
    assert gates.completed(RECORDED, by_default) == RECORDED
    assert gates.completed(first, by_default) == by_default


def test_a_name_is_succeeded_promoted_and_let_go():
    first = RECORDED
    growing = first.succeeded_by("two")
    assert (growing.serving, growing.names) == (first.aws_name, (first.aws_name, "two"))
    serves = growing.promoted()
    assert (serves.serving, serves.names) == ("two", ("two", first.aws_name))
    assert serves.without(first.aws_name).names == ("two",)
    assert growing.without("two") == first
    assert serves.aws_name == first.aws_name  # what the spec resolved to never changes
    assert gates.scope_changed(serves, RECORDED) is None
    with pytest.raises(ValueError, match="serves now"):
        serves.without("two")
    with pytest.raises(ValueError, match="no successor"):
        first.promoted()


WHOLE = annotation(RECORDED, NOW)[RESOLVED]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "{}",
        '{"account": "a", "accountId": 5}',
        "[1]",
        WHOLE.replace("{", '{"origin":"Stolen",', 1),
        WHOLE.replace("{", '{"origin":[],', 1),
        WHOLE.replace("{", '{"predecessors":"one",', 1),
    ],
)
def test_a_record_that_we_cannot_have_written_is_an_error(text):
    with pytest.raises(RecordError):
        recorded_in(resource("JobQueue", annotations={RESOLVED: text}))
