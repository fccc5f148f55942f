"""A namespace is deleted with all that is in it, while the operator runs."""

from tests.support.trial import READY

NAMESPACE = "doomed"


def test_a_deleted_namespace_goes_and_takes_what_it_has_in_aws_along(trial, steps):
    work = trial.work(NAMESPACE)
    trial.kubectl("create", "namespace", NAMESPACE)
    with steps.step("another namespace: quickstart Complete"):
        work.start()
    assert len(work.left_in_aws()) == 3
    work.submit(["cut-short"])  # still on its way when all of it is deleted
    with steps.step("namespace deleted with its objects"):
        trial.kubectl("delete", "namespace", NAMESPACE, READY)
    assert work.left_in_aws() == []
    trial.work().run("after-a-namespace")
