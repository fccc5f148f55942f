"""What the operator says and does later than at once, or where it cannot even ask AWS."""

import time
from contextlib import suppress

import pytest
from tests.support import manifests
from tests.support.cluster import is_ready, message, shows
from tests.support.deadline import wait_until
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.kinds.batchjob.plan import QUIET_SECONDS
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS

ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, JOB = ("JobDefinition", "simulate"), ("BatchJob", "run")
POLICIES = [("SchedulingPolicy", f"fair-{number}") for number in range(60)]
TOO_SMALL = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
EIGHT = {"resourceRequirements": [{"type": "VCPU", "value": "8"}, {"type": "MEMORY", "value": "9"}]}
NO_CREDENTIALS = {
    **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), ""),
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1/",  # nobody listens there
}
NO_ROUTE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # nobody listens there
NO_REGION = {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """Without an operator: each test starts its own."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(autouse=True)
def stopped(site):
    """No operator is left to the next test, not even by a test that fails."""
    yield
    with suppress(KeyError):
        site.sandbox.stop_operator()


def test_awss_words_on_a_job_that_waits_and_a_definition_that_somebody_took_away(site, cluster):
    site.start()
    small = manifests.environment(maxvCpus=4, instanceTypes=["m7i.4xlarge"])
    waiting = manifests.job(containerOverrides=EIGHT)
    cluster.apply(
        named(*ENVIRONMENT, small),
        named(*QUEUE, manifests.queue()),
        named(*DEFINITION, manifests.definition()),
        named(*JOB, waiting),
    )
    shown = cluster.wait(*DEFINITION, is_ready, "is Ready")["status"]
    listed = time.monotonic() + APPEARING_SECONDS + 2
    told = cluster.wait(
        *JOB,
        lambda body: f"AWS says: {TOO_SMALL} - " in (message(body, "Reconciling") or ""),
        "shows AWS's words",
        seconds=QUIET_SECONDS + 40,
    )
    assert told["status"]["awsStatus"] == "RUNNABLE"
    wait_until(lambda: blocked(cluster), "AWS's words are an event")
    assert [each["type"] for each in blocked(cluster)] == ["Warning"]
    # By now AWS lists the revision, and its end is nothing that a listing is late with.
    assert time.monotonic() > listed
    site.client("batch").deregister_job_definition(jobDefinition=shown["arn"])
    cluster.apply(named("BatchJob", "another", manifests.job()))
    after = shown["revision"] + 1
    cluster.wait("BatchJob", "another", lambda body: revision(body) == after, "is submitted")
    told = [event["reason"] for event in cluster.events("BatchJob", "another")]
    assert "InvalidRequest" not in told, "nobody has to correct the job"
    mended = cluster.wait(*DEFINITION, is_ready, "is Ready again")["status"]
    assert mended["revision"] == after
    assert len(blocked(cluster)) == 1


def revision(body):
    return body.get("status", {}).get("jobDefinition", {}).get("revision")


def blocked(cluster):
    return [event for event in cluster.events(*JOB) if event["reason"] == "Blocked"]


def test_aws_is_asked_who_we_are_no_more_often_than_there_are_identities(site, cluster):
    cluster.apply(*(named(*each, manifests.policy()) for each in POLICIES))
    before = site.calls("GetCallerIdentity")
    site.start()
    for each in POLICIES:
        cluster.wait(*each, is_ready, "is Ready")
    assert site.calls("GetCallerIdentity") - before <= 2


@pytest.mark.parametrize(
    ("environ", "held", "says"),
    [
        pytest.param(
            NO_CREDENTIALS,
            ("Stalled", "NoCredentials"),
            (
                "The operator has no AWS credentials",
                "none were found. They are looked for in the environment (AWS_ACCESS_KEY_ID",
                "the metadata service of the node",
                "Give the operator's ServiceAccount an AWS role",
            ),
            id="no-credentials",
        ),
        pytest.param(
            NO_REGION,
            ("Stalled", "IdentityUnknown"),
            (
                "neither the spec nor the operator's configuration names one",
                "make an AWSAccount named default with a region",
            ),
            id="no-region",
        ),
        pytest.param(
            NO_ROUTE,
            ("Reconciling", "AWSUnreachable"),
            (
                "The operator has no connection to AWS",
                "Check DNS, routes, NetworkPolicies, VPC endpoints, proxy and AWS_ENDPOINT_URL",
            ),
            id="no-route",
        ),
    ],
)
def test_what_keeps_us_from_asking_aws_is_told_as_what_it_is(site, cluster, environ, held, says):
    condition, reason = held
    site.begin(environ=environ)
    cluster.apply(named(*POLICIES[0], manifests.policy()))
    found = cluster.wait(*POLICIES[0], shows(reason), f"shows {reason}")
    shown = next(each for each in found["status"]["conditions"] if each["type"] == condition)
    assert (shown["status"], shown["reason"]) == ("True", reason)
    assert all(words in shown["message"] for words in says)
    assert "grant" not in shown["message"]
    words = site.not_ready()
    assert (says[-1] in words) is (reason == "NoCredentials")  # the others pass, or are others'
    site.sandbox.stop_operator()
    site.start()  # with all that it needs
    cluster.wait(*POLICIES[0], is_ready, "is Ready")
