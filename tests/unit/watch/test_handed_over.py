"""What Kopf keeps of an event, which only the garbage collector frees."""

from kopf._cogs.structs.bodies import Body
from kopf._cogs.structs.finalizers import is_deletion_blocked, is_deletion_ongoing

from awsbatch_operator.watch.kopf_setup import UNUSED_FINALIZER, handed_over


def raw(**metadata):
    return {
        "apiVersion": "awsbatch.dev/v1alpha1",
        "kind": "BatchJob",
        "metadata": {"name": "simulate", "uid": "1", "managedFields": [{}], **metadata},
        "spec": {"jobQueueRef": {"name": "main"}},
        "status": {"jobId": "2"},
    }


def test_the_body_is_handed_over_whole():
    event = raw(finalizers=["awsbatch.dev/finalizer"])
    assert handed_over(event) == raw(finalizers=["awsbatch.dev/finalizer"])


def test_kopf_keeps_nothing_of_what_users_and_we_wrote():
    event = raw(annotations={"awsbatch.dev/submission": "{}"})
    handed_over(event)
    assert event == {
        "apiVersion": "awsbatch.dev/v1alpha1",
        "kind": "BatchJob",
        "metadata": {"name": "simulate", "uid": "1"},
    }


def test_kopf_still_sees_deletions_and_finalizers():
    event = raw(finalizers=[UNUSED_FINALIZER], deletionTimestamp="2026-01-01T00:00:00Z")
    body = Body(event)
    handed_over(event)
    assert is_deletion_ongoing(body)
    assert is_deletion_blocked(body, UNUSED_FINALIZER)
    plain = raw()
    body = Body(plain)
    handed_over(plain)
    assert not is_deletion_ongoing(body)
    assert not is_deletion_blocked(body, UNUSED_FINALIZER)
    assert body.meta.name == "simulate"
