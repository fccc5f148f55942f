"""What is read of an object is read once for each version of it."""

from dataclasses import replace

import pytest

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import (
    ObjectKey,
    RecordError,
    Resource,
    Shape,
    kept,
    kept_of_spec,
)


def resource() -> Resource:
    return Resource(
        key=ObjectKey("BatchJob", "science", "simulate"),
        uid="1",
        generation=1,
        resource_version="1",
        created=Instant(0.0),
        spec={"shares": 1},
    )


def test_a_pure_function_of_an_object_is_called_once_for_each_version_that_is_read():
    called: list[Resource] = []

    @kept
    def shares(read: Resource) -> int:
        called.append(read)
        return int(read.spec["shares"])

    first = resource()
    second = replace(first, spec={"shares": 2})
    assert [shares(first), shares(first), shares(second), shares(first)] == [1, 1, 2, 1]
    assert called == [first, second]


def test_two_functions_of_an_object_do_not_share_what_they_make():
    one, two = kept(lambda _: "one"), kept(lambda _: "two")
    read = resource()
    assert [one(read), two(read), one(read)] == ["one", "two", "one"]


def test_an_error_is_not_kept():
    told = iter([False, True])

    @kept
    def record(_: Resource) -> str:
        if not next(told):
            raise RecordError("damaged")
        return "sound"

    read = resource()
    with pytest.raises(RecordError):
        record(read)
    assert record(read) == "sound"


def test_what_was_read_of_objects_does_not_make_them_differ():
    first, second = resource(), resource()
    kept(lambda _: "read")(first)
    assert first == second
    assert repr(first) == repr(second)


def body(version: str, *, generation: int = 1, shares: object = 1, status: str = "") -> Shape:
    return {
        "kind": "BatchJob",
        "metadata": {
            "name": "simulate",
            "namespace": "science",
            "uid": "1",
            "generation": generation,
            "resourceVersion": version,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"shares": shares},
        "status": {"awsStatus": status},
    }


@pytest.mark.parametrize(
    ("later", "times"),
    [
        (body("2", status="RUNNING"), 1),
        (body("2", generation=2, shares=2), 2),
        (body("2", generation=2, shares=True), 2),
    ],
    ids=["another status", "another spec", "another spec that is equal in Python"],
)
def test_what_was_read_of_a_spec_goes_over_to_a_version_with_the_same_spec_alone(
    later: Shape, times: int
):
    called: list[Resource] = []

    @kept_of_spec
    def shares(read: Resource) -> str:
        called.append(read)
        return str(read.spec["shares"])

    before = Resource.from_body(body("1"))
    assert shares(before) == "1"
    after = Resource.from_body(later, before=before)
    assert shares(after) == str(after.spec["shares"])
    assert len(called) == times


def test_what_is_read_of_a_status_does_not_go_over_to_the_next_version():
    state = kept(lambda read: str(read.status["awsStatus"]))
    before = Resource.from_body(body("1", status="STARTING"))
    assert state(before) == "STARTING"
    assert state(Resource.from_body(body("2", status="RUNNING"), before=before)) == "RUNNING"
