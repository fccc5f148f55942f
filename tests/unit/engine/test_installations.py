"""Which objects are another installation's, and what is held of namespaces that are left out."""

import pytest
from structlog.testing import capture_logs
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body
from tests.unit.engine.rig import KINDS, Rig

from awsbatch_operator.api.metadata import INSTALLATION, ObjectKey, Resource
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.installations import Others, but_others
from awsbatch_operator.engine.packing import abridged

OURS, THEIRS = "ops/aws-batch-operator", "team/aws-batch-operator"
KEY, NEXT = ObjectKey("BatchJob", "science", "one"), ObjectKey("BatchJob", "science", "two")


def noted(key, by, version=1, **parts):
    return body(
        key, version=version, uid=f"uid-{key.name}", annotations={INSTALLATION: by}, **parts
    )


@pytest.mark.parametrize(
    ("annotation", "status", "server"),
    [
        (None, None, ""),
        (THEIRS, None, THEIRS),
        (None, THEIRS, THEIRS),
        (OURS, THEIRS, OURS),  # handed over by a person
        (f" {OURS}\n", THEIRS, OURS),
        ("", THEIRS, THEIRS),
    ],
)
def test_the_annotation_says_who_serves_an_object_and_else_the_status(annotation, status, server):
    annotations = {} if annotation is None else {INSTALLATION: annotation}
    shown = {} if status is None else {"installation": status}
    made = body(KEY, version=1, annotations=annotations, status=shown)
    resource = Resource.from_body(made)
    assert resource.served_by == server
    assert resource.is_served_elsewhere(OURS) == (server == THEIRS)
    short = Resource.from_body(abridged(made))
    assert short.served_by == server, "a finished object is told apart as well"


class World:
    def __init__(self):
        self.cache = Cache(clock=SteppedClock())
        self.others = Others(OURS)
        self.heard: list[bool] = []
        self.cache.listen(self.others.heard)
        self.cache.listen(
            but_others(OURS, lambda change: self.heard.append(change.resource is not None))
        )

    def serve(self, key):
        resource = self.cache.get(key)
        assert resource is not None
        return self.others.serve(resource)


def test_a_new_object_is_left_to_those_who_alone_serve_its_namespace():
    there = World()
    there.cache.put(body(NEXT, version=1, uid="uid-two"))
    assert not there.serve(NEXT), "nobody serves anything there"
    there.cache.put(noted(KEY, THEIRS, 2))
    assert there.serve(KEY)
    assert there.serve(NEXT)
    there.cache.put(noted(ObjectKey("JobQueue", "science", "q"), OURS, 3))
    assert not there.serve(NEXT), "both serve something there: who is first has it"
    assert there.serve(KEY)


def test_of_a_namespace_from_which_the_others_are_gone_nothing_is_left_to_them():
    there = World()
    there.cache.put(body(NEXT, version=1, uid="uid-two"))
    there.cache.put(noted(KEY, THEIRS, 2))
    there.cache.put(noted(KEY, THEIRS, 3))
    assert there.others.counts() == [(("BatchJob",), 1)]
    there.cache.drop(KEY, "uid-one")
    assert not there.serve(NEXT)
    assert there.others.counts() == []


@pytest.mark.parametrize("gone", [False, True])
def test_where_we_serve_nothing_any_more_new_objects_are_left_to_the_others(gone):
    there, queue = World(), ObjectKey("JobQueue", "science", "q")
    there.cache.put(noted(KEY, THEIRS, 1))
    there.cache.put(noted(queue, OURS, 2))
    if gone:
        there.cache.drop(queue, "uid-q")
    else:
        there.cache.put(noted(queue, THEIRS, 3))
    there.cache.put(body(NEXT, version=4, uid="uid-two"))
    assert there.serve(NEXT), "as it would be after a restart"


def test_what_is_handed_over_counts_for_its_new_server():
    there = World()
    there.cache.put(noted(KEY, OURS, 1))
    there.cache.put(noted(KEY, THEIRS, 2))
    there.cache.put(noted(KEY, OURS, 3))
    assert there.heard == [True, False, True]
    assert there.others.counts() == []


def test_it_is_told_once_for_a_namespace():
    there = World()
    with capture_logs() as lines:
        for number in range(1, 30):
            key = ObjectKey("BatchJob", f"space-{number % 3}", f"job-{number}")
            there.cache.put(noted(key, THEIRS, number))
    assert len(lines) == 3
    assert {line["event"] for line in lines} == {"left to another installation"}
    assert "docs/installations.md" in lines[0]["remedy"]


async def test_an_engine_knows_nothing_of_namespaces_that_are_left_out():
    kind = KINDS[0]
    rig = Rig(EngineSettings(resync_seconds=60, excluded_namespaces=frozenset({"science"})))
    key = ObjectKey(kind, "science", "hidden")
    metadata = {"name": key.name, "namespace": key.namespace}
    rig.kube.apply({"kind": kind, "apiVersion": "awsbatch.dev/v1alpha1", "metadata": metadata})
    async with rig.running():
        await rig.clock.advance(300)
        rig.engine.on_event("MODIFIED", rig.kube.see(key))
        await rig.clock.advance(300)
        assert key not in rig.cache
        assert rig.turns == []
        assert rig.kube.asked == ()
