import time

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
    SSLError,
)
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock

from awsbatch_operator.aws.errors import ErrorKind
from awsbatch_operator.aws.failures import (
    MESSAGE_LIMIT,
    TOLD_AGAIN_SECONDS,
    Attempt,
    FailureLog,
    malformed,
    translate,
    words,
)
from awsbatch_operator.telemetry.logs import about

SUBMIT = Attempt(
    service="batch",
    operation="SubmitJob",
    action="batch:SubmitJob",
    identity="the operator's own identity",
    sent=True,
)


FIRST = {
    "id": "6c6b1a5f-9d3e-4c55-8c0b-0f2f7b1f3a11",
    "blob": "4GIOHlTkIaWHQD0Q" * 100,
    "time": "20260102T030000Z",
    "number": "1767322800",
}
SECOND = {
    "id": "0b1c2d3e-0000-4c55-8c0b-aaaaaaaaaaaa",
    "blob": "xXyYzZ-_" * 300,
    "time": "20260102T030001Z",
    "number": "1767322801",
}


def refusal(code: str, message: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "SubmitJob",
    )


@pytest.mark.parametrize(
    ("code", "status", "unknown"),
    [
        ("ClientException", 400, False),
        ("AccessDeniedException", 403, False),
        ("TooManyRequestsException", 429, False),
        ("ServerException", 500, True),
        ("ServiceUnavailable", 503, True),
        ("NotImplemented", 501, False),
        ("501", 501, False),
        ("RequestLimitExceeded", 503, False),
        ("Strange", 0, True),
        ("Strange", 400, False),
        ("408", 408, True),  # a proxy's words: it may have passed the request on
        ("", 400, True),
    ],
)
def test_the_outcome_is_unknown_only_where_aws_may_have_done_it(code, status, unknown):
    assert translate(refusal(code, "no", status), SUBMIT).outcome_unknown is unknown


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NoCredentialsError(), "Credentials"),
        (NoRegionError(), "Region"),
        (ConnectTimeoutError(endpoint_url="https://x"), "Route"),
        (EndpointConnectionError(endpoint_url="https://x"), "Route"),
        (SSLError(endpoint_url="https://x", error="certificate verify failed"), "Trust"),
        (ReadTimeoutError(endpoint_url="https://x"), "NoAnswer"),
        (ConnectionClosedError(endpoint_url="https://x"), "NoAnswer"),
        (refusal("AccessDeniedException", "no", 403), "AccessDeniedException"),
    ],
)
def test_what_is_counted_of_a_failure_is_a_word_of_aws_or_of_ours_and_no_name_of_botocores(
    error, cause
):
    """Alerts ask for these words: docs/operations.md."""
    found = translate(error, SUBMIT)
    assert found.cause == found.saying("other words").cause == cause


def test_a_lost_answer_leaves_the_outcome_unknown():
    assert translate(ReadTimeoutError(endpoint_url="http://x"), SUBMIT).outcome_unknown


def test_a_connection_that_never_opened_leaves_nothing_unknown():
    assert not translate(ConnectTimeoutError(endpoint_url="http://x"), SUBMIT).outcome_unknown


def test_a_call_that_was_never_handed_to_the_network_did_not_happen():
    never = Attempt("batch", "SubmitJob", "batch:SubmitJob", "x", sent=False)
    assert not translate(ReadTimeoutError(endpoint_url="http://x"), never).outcome_unknown
    assert not translate(ValueError("?"), never).outcome_unknown


def test_a_denial_names_the_missing_action_and_who_lacks_it():
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/op/s1 is not authorized to perform: "
        "iam:PassRole on resource: arn:aws:iam::111122223333:role/x"
    )
    error = translate(refusal("AccessDeniedException", message, 403), SUBMIT)
    assert error.kind is ErrorKind.DENIED
    assert error.action == "iam:PassRole"
    assert error.identity == "arn:aws:sts::111122223333:assumed-role/op"


def test_a_denial_without_details_names_the_calls_own_action():
    error = translate(refusal("AccessDeniedException", "Access denied", 403), SUBMIT)
    assert (error.action, error.identity) == ("batch:SubmitJob", "the operator's own identity")


def test_awss_own_words_are_kept():
    error = translate(
        refusal("ClientException", "Job name should match valid pattern", 400), SUBMIT
    )
    assert str(error) == "SubmitJob: Job name should match valid pattern (ClientException)"


@pytest.mark.parametrize(
    "secret",
    [
        "the key AKIAIOSFODNN7EXAMPLE is",
        "x-amz-security-token:IQoJb3JpZ2luX2Vj",
        "Signature=0123456789abcdef0123456789abcdef",
        "Could not connect to http://joe:hunter2@proxy:3128",
        "Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuMMCm-abcdefghijklmn",
        "The Canonical String for this request should have been\n'POST\nx-amz-date: 1'",
    ],
)
def test_a_message_carries_no_secret(secret):
    shown = words(f"Before. {secret}")
    assert shown.startswith("Before.")
    for part in ("AKIAIOSF", "IQoJb3", "0123456789abcdef", "hunter2", "4GIOHl", "POST"):
        assert part not in shown


def test_a_message_is_one_line_of_bounded_length():
    shown = words("long\n" * 5000)
    assert len(shown) <= MESSAGE_LIMIT
    assert "\n" not in shown


@pytest.mark.parametrize("head", ["token", "x-amz-security-token:", "//a", "\n", "signature=a "])
def test_a_message_of_any_size_is_cut_before_it_is_looked_at(head):
    began = time.process_time()
    shown = words(head * 50_000)
    assert time.process_time() - began < 0.1
    assert len(shown) <= MESSAGE_LIMIT


def test_an_answer_that_is_not_awss_says_what_to_check():
    error = malformed(SUBMIT, "jobs")
    assert error.kind is ErrorKind.UNKNOWN
    assert "AWS_ENDPOINT_URL" in error.message


@pytest.mark.parametrize(
    "said",
    [
        "Error executing request, Exception : Object already exists, RequestId: {id}",
        "Access denied (Service: AWSBatch; Status Code: 403; Request ID: {id}; Proxy: null)",
        "You are not authorized. Encoded authorization failure message: {blob}",
        "Signature expired: {time} is now earlier than 20260102T030405Z (a while ago - 15 min.)",
        "User: arn:aws:sts::111122223333:assumed-role/op/botocore-session-{number} may not do it",
        "User: arn:aws:sts::111122223333:assumed-role/op/eks-c1-operator-{id} may not do it",
        "It is arn:aws-cn:sts::111122223333:assumed-role/op.x=1/{number}.",
    ],
)
def test_the_same_refusal_has_the_same_words_each_time(said):
    first, second = words(said.format(**FIRST)), words(said.format(**SECOND))
    assert first == second
    assert not [value for value in FIRST.values() if value in first]


@pytest.mark.parametrize(
    "error",
    [
        lambda: HTTPClientError(error=f"<HTTPSConnection object at {id(object()):#x}>: no"),
        lambda: SSLError(endpoint_url="http://x", error=f"<Pool object at {id([]):#x}>"),
    ],
)
def test_a_broken_connection_does_not_say_where_python_keeps_it(error):
    assert "object at …" in translate(error(), SUBMIT).message


def test_the_id_of_the_request_is_in_the_log_and_nowhere_else():
    answer = refusal("ClientException", f"No such queue, RequestId: {FIRST['id']}", 400)
    answer.response["ResponseMetadata"]["RequestId"] = FIRST["id"]
    error = translate(answer, SUBMIT)
    with capture_logs() as logged:
        FailureLog(SteppedClock()).log(error, account="111122223333", region="eu-central-1")
    assert (error.message, FIRST["id"] in str(error)) == ("No such queue", False)
    [line] = logged
    assert (line["request_id"], line["log_level"]) == (FIRST["id"], "info")
    assert (line["call"], line["said"]) == ("batch:SubmitJob", "No such queue")


def test_a_refusal_that_comes_again_and_again_is_a_line_of_the_log_once():
    """An account whose role is wrong is tried twice a minute, for days."""
    clock = SteppedClock()
    log = FailureLog(clock)

    def level(name: str, said: str = "No such queue") -> str:
        error = translate(refusal("ClientException", said, 400), SUBMIT)
        with capture_logs() as logged, about(kind="BatchJob", namespace="n", name=name):
            log.log(error, account="111122223333", region="eu-central-1")
        return str(logged[0]["log_level"])

    assert [level("a") for _ in range(3)] == ["info", "debug", "debug"]
    assert [level("b"), level("a", "No such definition")] == ["info", "info"]
    clock.skip(TOLD_AGAIN_SECONDS)
    assert level("a") == "info"


def test_a_message_is_told_from_its_id_before_it_is_cut():
    said = "x" * (MESSAGE_LIMIT - 20) + ", RequestId: {id}"
    assert words(said.format(**FIRST)) == words(said.format(**SECOND))
