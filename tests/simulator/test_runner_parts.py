"""The pure parts of running a job: output as lines, scripts, command and environment, retries."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.cloud import serverless

from awsbatch_simulator.batch.orders import substituted, work_order
from awsbatch_simulator.batch.retry import retries
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.runners.output import LINE_CHARACTERS, Lines


def all_lines(chunks: list[bytes], limit: int = 1 << 20) -> list[str]:
    lines = Lines(limit)
    return [line for chunk in chunks for line in lines.feed(chunk)] + lines.end()


@given(st.text(alphabet="aä€\r\n ", max_size=200), st.lists(st.integers(1, 50), max_size=20))
def test_lines_are_the_same_however_the_bytes_are_cut(text, cuts):
    data, chunks = text.encode(), []
    for cut in cuts:
        chunks.append(data[:cut])
        data = data[cut:]
    whole = all_lines([text.encode()])
    assert all_lines([*chunks, data]) == whole
    *ended, last = text.split("\n")
    assert whole == [line.removesuffix("\r") for line in ended] + [last] * bool(last)


def test_long_lines_are_split_and_bad_bytes_replaced():
    assert all_lines([b"x" * (LINE_CHARACTERS + 1) + b"\n"]) == ["x" * LINE_CHARACTERS, "x"]
    assert all_lines([b"a\xffb\n"]) == ["a\N{REPLACEMENT CHARACTER}b"]


@given(st.lists(st.binary(max_size=40), max_size=10), st.integers(0, 100))
def test_no_more_is_kept_than_the_limit_allows(chunks, limit):
    lines = all_lines(chunks, limit)
    kept = lines[:-1] if lines and lines[-1].startswith("[the simulator keeps") else lines
    assert len("".join(kept)) <= limit


def test_parameters_replace_references_anywhere_in_a_word():
    parameters = {"a": "1", "long-name": "2"}
    assert substituted("x=Ref::a;y=Ref::long-name", parameters) == "x=1;y=2"
    assert substituted("Ref::unknown", parameters) == "Ref::unknown"
    assert substituted("Ref::a", {"a": "Ref::a"}) == "Ref::a"


def test_a_child_of_an_array_knows_its_index():
    cloud = serverless(JobScript(duration_seconds=100))
    parent = cloud.submit(arrayProperties={"size": 3})
    cloud.step(10)
    environment = work_order(cloud.region.batch.jobs[f"{parent}:2"], cloud.region.place).environment
    assert environment["AWS_BATCH_JOB_ID"] == f"{parent}:2"
    assert environment["AWS_BATCH_JOB_ARRAY_INDEX"] == "2"
    assert environment["AWS_BATCH_JOB_ARRAY_SIZE"] == "3"


def test_logs_go_where_the_definition_says():
    cloud = serverless(JobScript(duration_seconds=1))
    options = {
        "awslogs-group": "/mine",
        "awslogs-stream-prefix": "run",
        "awslogs-region": "eu-west-1",
    }
    log = {"logDriver": "awslogs", "options": options}
    cloud.definition(container={"logConfiguration": log})
    job_id = cloud.submit()
    cloud.step(20)
    assert (cloud.lines.groups, cloud.lines.regions) == ({"/mine"}, {"eu-west-1"})
    assert cloud.job(job_id)["container"]["logStreamName"].startswith("run/default/")


def test_scripts_match_by_name_definition_queue_parameters_and_attempt():
    about: dict[str, Any] = {
        "name": "job-1",
        "definition": "d",
        "queue": "q",
        "parameters": {"p": "x"},
    }
    assert JobScript(job_name="job-*", parameters={"p": "?"}).matches(**about, attempt=1)
    assert not JobScript(job_definition="e").matches(**about, attempt=1)
    assert not JobScript(job_queue="r").matches(**about, attempt=1)
    assert not JobScript(parameters={"other": "x"}).matches(**about, attempt=1)
    assert not JobScript(attempts=(2,)).matches(**about, attempt=1)


@given(st.integers(1, 10), st.integers(1, 10))
def test_there_is_never_an_attempt_more_than_allowed(attempt, allowed):
    again = retries(
        attempt=attempt, allowed=allowed, rules=[], status_reason="", reason="", exit_code=1
    )
    assert again == (attempt < allowed)
