"""What AWS repeats of what others wrote is shown without secrets, and otherwise as it is."""

import pytest
from tests.unit.kinds.batchjob.failure_texts import ENDS
from tests.unit.kinds.batchjob.start_texts import STARTS

from awsbatch_operator.api.words import without_request_ids
from awsbatch_operator.aws.answers import WORDS_LIMIT, steady

FAILURES = {**ENDS, **STARTS}


def words(said):
    """The words of an answer, after `steady`."""
    [job] = steady({"jobs": [{"container": {"reason": said}}]})["jobs"]
    return job["container"]["reason"]


def test_secrets_in_what_aws_repeats_are_masked():
    """Docker repeats the command that it could not start, with all that somebody wrote there."""
    said = words(
        "CannotStartContainerError: exec: \"curl -H 'Authorization: Bearer hunter22hunter22'\": "
        "executable file not found; environment DB_PASSWORD=hunter22"
    )
    assert "hunter22" not in said
    assert said.startswith("CannotStartContainerError: exec: ")


@pytest.mark.parametrize("name", FAILURES)
def test_no_text_that_a_diagnosis_goes_by_looks_like_a_secret(name):
    said = FAILURES[name]
    for text in (said.reason, said.status):
        assert words(text) == without_request_ids(text)


def test_a_text_of_any_size_is_cut():
    assert len(words("x" * 100_000)) <= WORDS_LIMIT + 1
