"""What a BatchJob takes over from the objects that it refers to."""

from dataclasses import replace

import pytest
from tests.unit.kinds.batchjob.jobs import KEY, NOW, OWNER, TARGETS, job

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.kinds.batchjob.resolving import desired_job


def target(kind, spec, *, deleting=False):
    key = ObjectKey(kind, KEY.namespace, "it")
    return Resource(key, "u", 1, "1", NOW, deleting=deleting, spec=spec)


def wants(found):
    spec = {"jobQueueRef": {"name": "it"}, "jobDefinitionRef": {"name": "it"}}
    targets = replace(TARGETS, found={each.key: each for each in found})
    return desired_job(job(spec=spec), targets, OWNER)


@pytest.mark.parametrize(
    ("drain", "deleting", "ends"),
    [
        ({"policy": "Terminate"}, True, True),
        ({"policy": "Wait", "timeoutSeconds": 60}, True, True),
        ({"policy": "Wait"}, True, False),
        (None, True, False),
        ({"policy": "Terminate"}, False, False),
    ],
)
def test_a_deleted_queue_ends_its_jobs_only_if_it_does_not_wait_for_them(drain, deleting, ends):
    spec = {} if drain is None else {"drain": drain}
    assert wants([target("JobQueue", spec, deleting=deleting)]).queue_deleted is ends


@pytest.mark.parametrize(("sort", "multinode"), [("multinode", True), ("container", False)])
def test_the_definition_says_whether_the_job_has_several_nodes(sort, multinode):
    assert wants([target("JobDefinition", {"type": sort})]).multinode is multinode
