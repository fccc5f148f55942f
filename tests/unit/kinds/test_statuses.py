"""From findings to conditions, and from conditions to events."""

from dataclasses import replace

import pytest
from tests.unit.kinds.values import NOW, RECORDED, ready, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import ExtraCondition, Situation, Verdict
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.scope import Origin
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds import outcomes, statuses
from awsbatch_operator.kinds.narration import Narrator

FINE = Verdict(Situation.READY, "Ready", "As specified.")
STALL = Finding(catalogue.INVALID_REQUEST, "It is wrong.")
WAIT = Finding(catalogue.THROTTLED, "Too many requests.")
NOTE = Finding(catalogue.CREATED, "Created it.")


class Told:
    """A recorder that keeps what it is told."""

    def __init__(self):
        self.events = []

    def event(self, resource, *, reason, message, warning, action):
        self.events.append((reason, warning, action))


def judged(*findings, deleting=False):
    verdict = statuses.verdict(findings, FINE, deleting=deleting)
    return verdict.situation, verdict.reason


def test_without_findings_the_kind_decides():
    assert judged() == (Situation.READY, "Ready")
    assert judged(NOTE) == (Situation.READY, "Ready")


def test_what_a_person_must_mend_counts_before_what_passes():
    assert judged(NOTE, WAIT, STALL) == (Situation.STALLED, "InvalidRequest")
    assert judged(NOTE, WAIT) == (Situation.WORKING, "Throttled")


def test_in_a_deletion_the_same_findings_block_or_delay():
    assert judged(WAIT, STALL, deleting=True)[0] is Situation.DELETION_BLOCKED
    assert judged(WAIT, deleting=True)[0] is Situation.DELETING


def test_findings_of_one_weight_are_told_together_with_each_remedy_once():
    second = Finding(catalogue.INVALID_REQUEST, "So is that.")
    message = statuses.verdict((STALL, second), FINE, deleting=False).message
    assert message.startswith("It is wrong. So is that. Correct the spec")
    assert message.count("Correct the spec") == 1


def whole(of, **changes):
    values = {"now": NOW, "bounded": False, "recorded": RECORDED, **changes}
    return statuses.whole(of, {"arn": "arn:1", "nothing": None}, FINE, **values)


@pytest.mark.parametrize("situation", Situation)
@pytest.mark.parametrize("bounded", [False, True])
def test_only_what_is_true_says_all_and_what_is_false_says_little(situation, bounded):
    """Whoever reads the whole object would read the same words three times."""
    words = "The security group is gone. " * 20
    before = [condition(name, "True", "X", "x") for name in ("Suspended", "DeletionBlocked")]
    shown = statuses.whole(
        resource("JobQueue", status={"conditions": before}),
        {},
        Verdict(situation, "InvalidRequest", words),
        now=NOW,
        bounded=bounded,
        recorded=None,
    )
    listed = {each["type"]: each for each in shown["conditions"]}
    true = {name for name, each in listed.items() if each["status"] == "True"}
    # Generic tools show what Stalled says of a failed job, and nothing of a blocked deletion.
    short = {"Reconciling"} if situation is Situation.DELETION_BLOCKED else set()
    said = true - short
    assert {name for name, each in listed.items() if each["message"] == words} == said
    for name in listed.keys() - said:
        assert len(listed[name]["message"]) < 60
        assert listed[name]["message"].endswith(".")
        assert listed[name]["reason"] == "InvalidRequest"


@pytest.mark.parametrize(
    ("situation", "says"),
    [
        (Situation.STALLED, "Stalled"),
        (Situation.WORKING, "Reconciling"),
        (Situation.DELETING, "Reconciling"),
        (Situation.DELETION_BLOCKED, "DeletionBlocked"),
    ],
)
def test_what_is_not_ready_says_which_condition_says_why(situation, says):
    shown = statuses.whole(
        resource("JobQueue"),
        {},
        Verdict(situation, "X", "x"),
        now=NOW,
        bounded=False,
        recorded=None,
    )
    listed = {each["type"]: each for each in shown["conditions"]}
    assert listed["Ready"]["message"] == f"It is not ready: the condition {says} says why."
    assert listed[says]["status"] == "True"


def test_a_status_has_no_null_and_says_where_the_object_lives():
    status = whole(resource("JobQueue"))
    assert "nothing" not in status
    assert (status["accountId"], status["awsName"]) == ("111122223333", "science-pool-1")
    assert "awsName" not in whole(resource("BatchJob"), bounded=True)


@pytest.mark.parametrize(
    ("spec", "origin", "policy"),
    [
        ({}, Origin.CREATED, "Delete"),
        ({}, Origin.ADOPTED, "Retain"),
        ({"deletionPolicy": "Delete"}, Origin.ADOPTED, "Delete"),
        ({"deletionPolicy": "Retain"}, Origin.CREATED, "Retain"),
    ],
)
def test_the_status_says_what_a_deletion_would_do(spec, origin, policy):
    status = whole(resource("JobQueue", spec), recorded=replace(RECORDED, origin=origin))
    assert status["deletionPolicy"] == policy


def test_the_status_shows_the_name_that_serves_now():
    replaced = RECORDED.succeeded_by("science-pool-2").promoted()
    assert whole(resource("JobQueue"), recorded=replaced)["awsName"] == "science-pool-2"


def test_a_condition_of_a_kinds_own_flips_at_its_own_time_and_goes_when_it_is_left_out():
    drifted = ExtraCondition("Drifted", holds=True, reason="Edited", message="By hand.")
    first = resource("JobQueue")
    status = whole(first, extra=(drifted,))
    of_type = {each["type"]: each for each in status["conditions"]}
    assert of_type["Drifted"]["status"] == of_type["Ready"]["status"] == "True"
    of = replace(first, status=status)
    status = whole(of, now=NOW.plus(60), extra=(replace(drifted, holds=False),))
    of_type = {each["type"]: each for each in status["conditions"]}
    assert of_type["Drifted"]["lastTransitionTime"] == NOW.plus(60).rfc3339()
    assert of_type["Ready"]["lastTransitionTime"] == NOW.rfc3339()
    status = whole(replace(of, status=status), now=NOW.plus(90))
    assert "Drifted" not in {each["type"] for each in status["conditions"]}


def test_the_same_status_in_another_order_of_conditions_is_the_same():
    status = whole(resource("JobQueue"))
    other = {**status, "conditions": list(reversed(status["conditions"]))}
    assert statuses.same(status, other)
    assert not statuses.same(status, {**other, "arn": "arn:2"})


def test_a_status_that_was_written_is_not_written_again_later():
    first = resource("JobQueue")
    status = whole(first)
    later = whole(replace(first, status=status), now=NOW.plus(500))
    assert statuses.same(status, later)


def test_a_paused_object_keeps_what_was_found_for_its_earlier_generation():
    paused = {"awsbatch.dev/paused": "true"}
    before = ready(resource("JobQueue"), arn="arn:1")
    edited = replace(before, generation=2, annotations=paused)
    status = statuses.whole(
        edited, {}, Verdict(Situation.STALLED, "X", "x"), now=NOW, bounded=False, recorded=None
    )
    kept = {entry["type"]: entry for entry in status["conditions"]}
    assert kept["Ready"] == before.status["conditions"][0]
    assert kept["Paused"]["status"] == "True"
    assert "Stalled" not in kept
    assert status["observedGeneration"] == 1


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_error_has_a_finding_that_keeps_awss_words(kind):
    finding = outcomes.finding(AwsError(kind, operation="CreateJobQueue", message="They said so"))
    assert "They said so." in finding.text()
    assert "CreateJobQueue" in finding.text()


@pytest.mark.parametrize("kind", ErrorKind)
def test_a_lost_answer_is_looked_up_with_backoff_whatever_its_kind(kind):
    error = AwsError(kind, operation="X", message="", outcome_unknown=True)
    assert outcomes.finding(error).reason is catalogue.OUTCOME_UNKNOWN
    assert outcomes.backs_off(error)


def test_a_verdict_is_told_when_it_changes_and_not_again():
    told = Told()
    narrator = Narrator(told)
    stalled = Verdict(Situation.STALLED, "InvalidRequest", "no")
    narrator.judged(resource("JobQueue"), FINE)
    narrator.judged(ready(resource("JobQueue")), FINE)
    narrator.judged(ready(resource("JobQueue")), stalled)
    assert told.events == [("Ready", False, "Reconcile"), ("InvalidRequest", True, "Reconcile")]


@pytest.mark.parametrize(
    ("generation", "words", "told_again"),
    [(2, "no priority", True), (2, "no queue", False), (1, "no queue; request 7", False)],
)
def test_another_refusal_of_an_edited_object_is_news(generation, words, told_again):
    """A person who has corrected one thing must hear of the next; words that tick are no news."""
    told = Told()
    shown = condition("Stalled", "True", "InvalidRequest", "no queue")
    before = replace(resource("JobQueue", status={"conditions": [shown]}), generation=generation)
    Narrator(told).judged(before, Verdict(Situation.STALLED, "InvalidRequest", words))
    assert bool(told.events) is told_again


def condition(name, status, reason, message):
    return {
        "type": name,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": NOW.rfc3339(),
    }


def test_progress_is_no_event_but_trouble_is():
    told = Told()
    narrator = Narrator(told)
    narrator.judged(resource("JobQueue"), Verdict(Situation.WORKING, "Creating", ""))
    narrator.judged(resource("JobQueue"), Verdict(Situation.WORKING, "Throttled", ""))
    assert told.events == [("Throttled", True, "Reconcile")]


def test_a_note_without_an_action_is_told_once_for_each_generation():
    told = Told()
    narrator = Narrator(told)
    first = resource("JobQueue")
    for each in (first, first, replace(first, generation=2)):
        narrator.noted(each, [NOTE, STALL])
    assert [reason for reason, _, _ in told.events] == ["Created", "Created"]


@pytest.mark.parametrize(
    "situation", [Situation.STALLED, Situation.DELETING, Situation.DELETION_BLOCKED]
)
@pytest.mark.parametrize(("run", "kept"), [(1, True), (2, False)])
def test_a_result_stays_only_as_long_as_the_status_names_the_run_that_it_is_of(
    situation, run, kept
):
    failed = statuses.whole(
        resource("BatchJob"),
        {"run": 1},
        Verdict(Situation.FAILED, "ApplicationExit", "It failed."),
        now=NOW,
        bounded=True,
        recorded=RECORDED,
    )
    in_its_way = Verdict(situation, "Throttled", "Too many requests.")
    over = resource("BatchJob", status=failed)
    status = statuses.whole(
        over, {"run": run}, in_its_way, now=NOW, bounded=True, recorded=RECORDED
    )
    assert any(each["type"] == "Failed" for each in status["conditions"]) == kept
