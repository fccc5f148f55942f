"""A sandbox gives the operator what a cluster and an account would, and no more."""

import json
from contextlib import closing

import boto3
import pytest
from botocore.exceptions import ClientError

from awsbatch_sandbox.errors import KubectlFailed, SandboxError
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.sandbox import Sandbox


@pytest.fixture
def aws(sandbox):
    return sandbox.start_simulator()


def client_of(aws, service, *, credentials=None):
    known = credentials or aws
    client = boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=known.access_key_id,
        aws_secret_access_key=known.secret_access_key,
    )
    return closing(client)


def operators_kubectl(sandbox):
    path = sandbox.control_plane.service_account_kubeconfig(
        sandbox.operator_namespace, "aws-batch-operator"
    )
    binary = sandbox.control_plane.kubectl.binary
    return Kubectl(binary, path, sandbox.layout.kubectl_cache)


def test_the_simulated_aws_is_reached_with_this_sandboxs_credentials(aws):
    with client_of(aws, "sts") as client:
        assert client.get_caller_identity()["Account"]


def test_calls_of_this_sandbox_are_counted_and_can_be_asked_for(aws):
    with client_of(aws, "batch") as client:
        client.describe_job_queues()
    assert aws.admin("GET", "/_simulator/calls")["services"]["batch"]


def test_an_admin_request_that_is_refused_is_told(aws):
    with pytest.raises(SandboxError, match=r"GET /_simulator/nothing was refused \(404\)"):
        aws.admin("GET", "/_simulator/nothing")


def test_credentials_of_one_sandbox_mean_nothing_to_another(aws, control_plane, tmp_path):
    with Sandbox(tmp_path / "other", control_plane=control_plane) as other:
        elsewhere = other.start_simulator()
        with (
            client_of(elsewhere, "sts", credentials=aws) as stranger,
            pytest.raises(ClientError, match="InvalidClientTokenId"),
        ):
            stranger.get_caller_identity()


def test_the_operator_reads_our_kinds_and_nobodys_secrets(sandbox, namespace):
    kubectl = operators_kubectl(sandbox)
    kubectl("get", "awsbatch", "--all-namespaces")
    with pytest.raises(KubectlFailed, match="cannot list resource"):
        kubectl("get", "secrets", f"--namespace={namespace}")


def test_the_operator_writes_status_and_metadata_but_creates_none_of_our_objects(
    sandbox, namespace
):
    job = {
        "apiVersion": "awsbatch.dev/v1alpha1",
        "kind": "BatchJob",
        "metadata": {"name": "job", "namespace": namespace},
        "spec": {"jobQueueRef": {"name": "queue"}, "jobDefinitionRef": {"name": "definition"}},
    }
    kubectl = operators_kubectl(sandbox)
    with pytest.raises(KubectlFailed, match="cannot create resource"):
        kubectl("create", "--filename=-", input=json.dumps(job))


def test_an_operator_cannot_be_started_before_it_is_somebody(control_plane, tmp_path):
    with (
        Sandbox(tmp_path, control_plane=control_plane) as sandbox,
        pytest.raises(SandboxError, match="no ServiceAccount yet: call install first"),
    ):
        sandbox.start_operator()
