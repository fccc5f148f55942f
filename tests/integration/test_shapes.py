"""Arrays and multi-node jobs in the real API server: their status is taken as it is written."""

from tests.support import manifests
from tests.support.cluster import is_complete, message
from tests.support.job_remedies import MULTINODE
from tests.support.whole_life import DEFINITION, ENVIRONMENT, QUEUE, named


def test_an_array_and_a_job_of_several_nodes_run_and_tell_how(site, cluster):
    cluster.apply(
        named(*ENVIRONMENT, manifests.environment()),
        named(*QUEUE, manifests.queue()),
        named(*DEFINITION, manifests.definition()),
        named("JobDefinition", "nodes", MULTINODE),
        named("BatchJob", "sweep", manifests.job(arrayProperties={"size": 3})),
        named(
            "BatchJob", "mpi",
            manifests.job(jobDefinitionRef={"name": "nodes"}, parameters={"a": "b"}),
        ),
    )  # fmt: skip
    sweep = cluster.wait("BatchJob", "sweep", is_complete, "is Complete")
    assert sweep["status"]["array"]["succeeded"] == 3
    assert message(sweep, "Complete") == "All 3 jobs of the array succeeded."
    mpi = cluster.wait("BatchJob", "mpi", is_complete, "is Complete")
    assert mpi["status"]["nodes"] == {"count": 2, "mainNode": 0}
    assert "The main node (index 0 of 2 nodes) ended with exit code 0" in message(mpi, "Complete")
