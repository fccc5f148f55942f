"""Every ClientException of Batch carries the request's id, in its words and in the header.

Sources: kestra-io/plugin-aws#504, pegasus-isi/pegasus#2086 and ASFHyP3/hyp3#3041 quote
"Error executing request, Exception : …, RequestId: …"; JuliaCloud/AWS.jl#313 quotes the answer to a
body that Batch cannot read, which has none.
"""

import json
import re
from typing import Any

import pytest
from tests.support.simulated_aws import make_simulator

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.wire import WireAnswer, WireRequest

FRAME = re.compile(r"Error executing request, Exception : (?P<words>.*), RequestId: (?P<id>.*)")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def call(simulator: Simulator, path: str, body: bytes | dict[str, Any]) -> WireAnswer:
    """One signed request to Batch."""
    scope = f"20270101/{simulator.place.region}/batch/aws4_request"
    credential = f"Credential={simulator.key.access_key_id}/{scope}"
    headers = {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=x"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    admitted = simulator.dispatcher.admit(WireRequest("POST", f"/v1/{path}", "", headers, content))
    if isinstance(admitted, WireAnswer):
        return admitted
    return simulator.dispatcher.perform(admitted)


def message(answer: WireAnswer) -> str:
    return str(json.loads(answer.body)["message"])


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("submitjob", {"jobName": "-", "jobQueue": "q", "jobDefinition": "d"},
         "Job name should match valid pattern"),  # refused by a rule
        ("describejobs", {"jobs": ["x"] * 101}, "Maximum number of jobs supported is  100 ."),
        ("updatejobqueue", {"jobQueue": "nobody"}, "nobody does not exist"),  # nothing there
        ("submitjob", {}, 'Missing required parameter in input: "jobName"'),  # by the model
    ],
)  # fmt: skip
def test_a_refusal_is_framed_and_has_the_id_of_the_answers_header(path, body, words):
    answer = call(make_simulator(), path, body)
    found = FRAME.fullmatch(message(answer).replace("\n", " "))
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, "ClientException")
    assert found is not None
    assert found["words"].startswith(words)
    assert found["id"] == answer.headers["x-amzn-RequestId"]
    assert UUID.fullmatch(found["id"])


def test_the_ids_differ_from_call_to_call_and_are_the_same_in_the_same_world():
    def ids() -> list[str]:
        simulator = make_simulator()
        refusals = [call(simulator, "updatejobqueue", {"jobQueue": "nobody"}) for _ in range(3)]
        return [message(each).rpartition(" ")[2] for each in refusals]

    assert len(set(ids())) == 3
    assert ids() == ids()


def test_a_fault_that_says_what_batch_says_is_framed_as_batch_does():
    simulator = make_simulator()
    simulator.world.faults.add(
        FaultSpec(effect=Effect.ERROR, code="ClientException", message="resource is being modified")
    )
    found = FRAME.fullmatch(message(call(simulator, "describejobs", {"jobs": []})))
    assert found is not None
    assert found["words"] == "resource is being modified"


def test_what_other_layers_refuse_is_said_without_a_frame():
    """Throttling and permissions are not Batch's own: their messages are AWS's common ones."""
    simulator = make_simulator()
    for effect, words in ((Effect.THROTTLE, "Too Many Requests"), (Effect.DENY, "User: arn:aws:")):
        simulator.world.faults.add(FaultSpec(effect=effect, times=1))
        assert message(call(simulator, "describejobs", {"jobs": []})).startswith(words)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"jobs": ' + b"[" * 100_000,
        b'{"jobs": [' + b"9" * 5000 + b"]}",
        b'{"maxResults": NaN}',
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_other_words(body):
    """JuliaCloud/AWS.jl#313."""
    answer = call(make_simulator(), "describejobs", body)
    assert answer.status == 400
    assert answer.headers["x-amzn-ErrorType"] == "ClientException"


def test_the_words_for_a_body_that_is_no_json():
    assert message(call(make_simulator(), "describejobs", b"{")) == (
        "An error occurred during JSON parsing"
    )


@pytest.mark.parametrize("weight", [b"NaN", b"Infinity", b"1e999"])
def test_what_is_no_number_is_none_to_batch(weight):
    share = b'{"shareIdentifier": "a", "weightFactor": ' + weight + b"}"
    body = b'{"name": "a", "fairsharePolicy": {"shareDistribution": [' + share + b"]}}"
    answer = call(make_simulator(), "createschedulingpolicy", body)
    assert (answer.status, message(answer)) == (400, "An error occurred during JSON parsing")
