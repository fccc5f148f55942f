"""The record of builds is read as it was written, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import BUILD, RecordError
from awsbatch_operator.kinds.extendedami.record import Build, Stage, parsed
from awsbatch_operator.kinds.extendedami.record_parts import Copying, Failure, Launch

TEXT = st.text(max_size=20)
COUNT = st.integers(0, 10_000)
MOMENT = st.integers(0, 4_000_000_000).map(lambda each: Instant(each / 1))
LAUNCHES = st.builds(Launch, token=TEXT, offer=COUNT, time=MOMENT)
COPIES = st.builds(Copying, attempt=COUNT, request=TEXT, time=MOMENT)
FAILURES = st.builds(
    Failure,
    step=TEXT,
    message=TEXT,
    time=MOMENT,
    exit_code=st.none() | st.integers(0, 255),
    again=st.none() | MOMENT,
    instance=TEXT,
    kept=st.booleans(),
    taken=st.booleans(),
)
BUILDS = st.builds(
    Build,
    uid=TEXT,
    build=TEXT,
    content=TEXT,
    base=TEXT,
    source=TEXT,
    attempt=COUNT,
    first=COUNT,
    mark=TEXT,
    stage=st.sampled_from(Stage),
    started=MOMENT,
    since=MOMENT,
    launch=st.none() | LAUNCHES,
    rounds=COUNT,
    pause=st.none() | MOMENT,
    image=TEXT,
    measured=st.dictionaries(TEXT, COUNT, max_size=3),
    failure=st.none() | FAILURES,
    quiet=st.none() | MOMENT,
    regions=st.lists(TEXT, max_size=3).map(tuple),
    copies=st.dictionaries(TEXT, COPIES, max_size=3),
    clean=st.booleans(),
)


@given(BUILDS)
def test_a_record_is_read_as_it_was_written(build):
    read = parsed(build.annotation()[BUILD])
    assert read == build
    assert read.annotation() == build.annotation()
    assert (read.nonce, read.verify_nonce) == (build.nonce, build.verify_nonce)


@given(BUILDS, st.sampled_from(["uid", "build", "stage", "started", "attempt", "v"]))
def test_a_record_without_a_part_is_no_record(build, part):
    body = json.loads(build.annotation()[BUILD])
    del body[part]
    with pytest.raises(RecordError):
        parsed(json.dumps(body))


@given(st.text(max_size=40))
def test_other_texts_are_no_records(text):
    with pytest.raises(RecordError):
        parsed(text)


@given(BUILDS, BUILDS)
def test_no_two_attempts_have_one_nonce(one, other):
    same = ("uid", "build", "attempt", "started")
    alike = all(getattr(one, name) == getattr(other, name) for name in same)
    assert (one.nonce == other.nonce) == alike
    assert one.nonce != one.verify_nonce
