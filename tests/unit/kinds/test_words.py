"""What users read: sentences, each once, and the same each time as long as nothing has changed."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.reading import reads_badly

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.findings import Finding, Severity
from awsbatch_operator.api.words import joined, sentence, some_of, without_request_ids
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds import outcomes, statuses
from awsbatch_operator.kinds.batchjob.failure_causes import REMEDIES

FINE = Verdict(Situation.READY, "Ready", "As specified.")
# Words of AWS as they come: with a full stop and without, over several lines, with an ellipsis.
AWS_WORDS = [
    "Object already exists",
    "Object already exists.",
    "The security group 'sg-1' does not exist. ",
    "Something is wrong..",
    "Not now, please wait ...",
    "  first line\n\tsecond line  ",
    "no such role: ",
    "Why?",
    "",
]
REASONS = [reason for reason in catalogue.reasons() if reason.severity is not Severity.NOTE]


def reads_well(text):
    assert not reads_badly(text)


@pytest.mark.parametrize(
    "text",
    [
        *("It is so..", "It is so .", "It is  so.", "It is so", "So. So.", "It is: .", " So."),
        "Check the name The names are these.",
    ],
)
def test_what_reads_badly_is_seen(text):
    assert reads_badly(text)


@pytest.mark.parametrize("reason", catalogue.reasons(), ids=lambda reason: reason.name)
def test_every_finding_reads_well_whatever_awss_words_are(reason):
    for words in AWS_WORDS:
        reads_well(Finding(reason, words or "It is so").text())
        reads_well(Finding(reason, f"AWS says: {words}").text())


@given(st.lists(st.tuples(st.sampled_from(REASONS), st.sampled_from(AWS_WORDS[:-1])), min_size=1))
def test_several_findings_together_read_well(found):
    findings = [Finding(reason, words) for reason, words in found]
    reads_well(statuses.verdict(findings, FINE, deleting=False).message)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("kind", ErrorKind)
@pytest.mark.parametrize("words", AWS_WORDS)
def test_every_error_of_aws_reads_well(kind, words, unknown):
    error = AwsError(kind, operation="CreateJobQueue", message=words, outcome_unknown=unknown)
    reads_well(outcomes.finding(error).message)
    reads_well(outcomes.finding(error).text())


@pytest.mark.parametrize(
    "text", [*(each.meaning for each in catalogue.reasons()), *REMEDIES.values()]
)
def test_what_the_catalogue_says_in_general_reads_well(text):
    reads_well(text)


PARTS = st.builds(
    "{} {}{}".format,
    st.sampled_from(["it is", " it\n was", "", "cd ../x"]),
    st.sampled_from(["so", "not so", ""]),
    st.sampled_from(["", ".", "..", " .", "...", ": ", "…", "!"]),
)


@given(st.lists(PARTS, max_size=6))
def test_whatever_is_joined_reads_well_and_may_be_joined_again(parts):
    made = joined(*parts)
    assert joined(made) == made
    assert not re.search(r"\.\.(?!/)|\s\.(?!\./)|\s\s", made), made


def test_a_sentence_gets_one_full_stop_and_keeps_the_one_it_has():
    assert [sentence(each) for each in ("a", "a.", "a..", "a .", "a!", " ", "cut…")] == [
        "a.", "a.", "a.", "a.", "a!", "", "cut…"
    ]  # fmt: skip


def test_of_many_things_the_first_few_are_named():
    assert some_of("abcde") == "a, b, c, d, e"
    assert some_of("abcdefg") == "a, b, c, d, e and 2 more"


ID = "6c6b1a5f-9d3e-4c55-8c0b-0f2f7b1f3a11"
HOST = "Rd+9Zx/k0nVq3yA7bM2c" * 3 + "="
FORMS = [
    (f"Error executing request, Exception : Object already exists, RequestId: {ID}",
     "Object already exists"),
    (f"No such role (Service: AmazonECS; Status Code: 400; Error Code: X; Request ID: {ID})",
     "No such role (Service: AmazonECS; Status Code: 400; Error Code: X)"),
    (f"Gone (Service: Ecs; Status Code: 400; Request ID: {ID}; Proxy: null)",
     "Gone (Service: Ecs; Status Code: 400; Proxy: null)"),
    ("Gone (Service: S3, Request ID: 4442587FB7D0A2F9, Extended Request ID: ab/c+d=1)",
     "Gone (Service: S3)"),
    (f"Gone (Service: S3, Request ID: {ID}) (SDK Attempt Count: 3)", "Gone (Service: S3)"),
    (f"Denied. Request ID: {ID}", "Denied."),
    (f"Denied (Request ID: {ID}).", "Denied."),
    (f"Denied [RequestId: {ID}] for now", "Denied for now"),
    (f"fetch: AccessDenied: not yours\n\tstatus code: 400, request id: {ID}",
     "fetch: AccessDenied: not yours\n\tstatus code: 400"),
    (f"https response error StatusCode: 400, RequestID: {ID}, api error AccessDenied: no",
     "https response error StatusCode: 400, api error AccessDenied: no"),
    (f"RequestId: {ID} was refused", "was refused"),
    (f"download: AccessDenied: no status code: 403, request id: 0MV4KW3W5RHCY6Z5, host id: {HOST}",
     "download: AccessDenied: no status code: 403"),
    (f"StatusCode: 403, RequestID: 0MV4KW3W5RHCY6Z5, HostID: {HOST}, api error Forbidden",
     "StatusCode: 403, api error Forbidden"),
    ("You are not authorized. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSn-_x",
     "You are not authorized."),
]  # fmt: skip


@pytest.mark.parametrize(("said", "shown"), FORMS)
def test_the_id_of_the_request_is_left_out_with_what_held_it(said, shown):
    assert without_request_ids(said) == shown


@pytest.mark.parametrize("said", [said for said, _ in FORMS[:-1]])
def test_two_answers_that_differ_in_their_ids_are_one(said):
    other = said.replace(ID, str(uuid.uuid4())).replace("Count: 3", "Count: 4")
    assert without_request_ids(other) == without_request_ids(said)


@pytest.mark.parametrize(
    "said",
    [
        "Essential container in task exited",
        "Host EC2 (instance i-0123456789abcdef0) terminated.",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found",
        "OutOfMemoryError: Container killed due to memory usage",
        "Request identifiers are kept, and so is request id; both are words",
        "Launched on hostId: h-0123456789abcdef0, see the request id there",
        "The request id: parameter is missing",
        "Header x-amz-request-id: forbidden-by-policy",
        "  spaces ,  and (brackets) [ ] stay ",
    ],
)
def test_other_words_of_aws_stay_as_they_are(said):
    assert without_request_ids(said) == said


def test_brackets_within_brackets_go_with_the_id_however_many_there_are():
    assert without_request_ids(f"Gone {'(' * 5000}RequestId: {ID}{')' * 5000} now") == "Gone now"


@given(st.text(alphabet="a ,;.()[]", max_size=20), st.text(alphabet="a ,;.()[]", max_size=20))
def test_what_does_not_touch_the_id_is_kept(before, after):
    shown = without_request_ids(f"x{before}x, RequestId: {ID}; y{after}y")
    assert shown == f"x{before}x; y{after}y"
