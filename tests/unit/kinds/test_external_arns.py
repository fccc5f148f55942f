"""What allowedExternalArns allows, member by member."""

import pytest
from tests.unit.kinds.values import ACCOUNT, REGION, resource

from awsbatch_operator.kinds.named_resources import RESOURCE_FIELDS
from awsbatch_operator.kinds.permissions import (
    Allowances,
    allowances,
    allowed_reservations,
    refusal,
)

SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:team-b/db-AbCdEf"
CLUSTER = "arn:aws:eks:eu-central-1:111122223333:cluster/prod"
S3_FILES = "arn:aws:s3files:eu-central-1:111122223333:file-system/fs-1"
GROUP = "arn:aws:resource-groups:eu-central-1:111122223333:group/reserved"
KEY = "0a1b2c3d-1111-2222-3333-444455556666"


def container(**properties):
    return {"containerProperties": properties}


def efs(**configuration):
    return container(volumes=[{"name": "v", "efsVolumeConfiguration": configuration}])


def pod(**properties):
    return {"eksProperties": {"podProperties": properties}}


def resources(**properties):
    return {"computeResources": properties}


def pool(**members):
    return {"capacity": {"pools": [{"name": "main", **members}]}}


def mount(**members):
    return {"mounts": [{"name": "shared", "type": "efs", "mountPath": "/efs", **members}]}


def ebs(**members):
    return pool(blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": members}])


def log_secret(value):
    options = [{"name": "splunk-token", "valueFrom": value}]
    return container(logConfiguration={"logDriver": "splunk", "secretOptions": options})


# (spec, what the finding names, entries each of which allows it)
ALWAYS = [
    (container(secrets=[{"name": "DB", "valueFrom": SECRET}]), SECRET, ["arn:*:secret:team-b/*"]),
    (
        container(secrets=[{"name": "DB", "valueFrom": "/team-b/db"}]),
        "parameter/team-b/db",
        ["parameter/team-b/*", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/team-b/db"],
    ),
    (log_secret(SECRET), SECRET, [SECRET]),
    (
        container(repositoryCredentials={"credentialsParameter": SECRET}),
        f"containerProperties.repositoryCredentials.credentialsParameter ({SECRET})",
        [SECRET],
    ),
    (
        container(repositoryCredentials={"credentialsParameter": "registry"}),
        "secret:registry",
        ["secret:reg*", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:registry"],
    ),
    (efs(fileSystemId="fs-1"), "fs-1", ["fs-1", "arn:aws:elasticfilesystem:*:*:file-system/fs-1"]),
    (
        efs(authorizationConfig={"accessPointId": "fsap-1"}),
        "fsap-1",
        ["fsap-*", "arn:aws:elasticfilesystem:*:*:access-point/fsap-1"],
    ),
    (
        container(volumes=[{"s3FilesVolumeConfiguration": {"fileSystemArn": S3_FILES}}]),
        S3_FILES,
        [S3_FILES],
    ),
    (
        {"consumableResourceProperties": {"consumableResourceList": [{"consumableResource": "l"}]}},
        "consumable-resource/l",
        ["consumable-resource/*", "arn:aws:batch:*:*:consumable-resource/l"],
    ),
    (
        {"computeResources": {"capacityReservation": {"reservationGroupArn": GROUP}}},
        GROUP,
        [GROUP],
    ),
    ({"eksConfiguration": {"eksClusterArn": CLUSTER}}, CLUSTER, ["arn:aws:eks:*:*:cluster/prod"]),
    (pod(serviceAccountName="admin"), "serviceaccount/admin", ["serviceaccount/adm?n"]),
    (pod(imagePullSecrets=[{"name": "pull"}]), "secret/pull", ["secret/pull"]),
    (pod(volumes=[{"secret": {"secretName": "tls"}}]), "secret/tls", ["secret/tls"]),
    (
        pod(volumes=[{"persistentVolumeClaim": {"claimName": "data"}}]),
        "persistentvolumeclaim/data",
        ["persistentvolumeclaim/data"],
    ),
    ({"jobQueueRef": {"arn": "arn:aws:batch:x:1:job-queue/q"}}, "job-queue/q", ["arn:*/q"]),
    (
        ebs(snapshotId="snap-1"),
        "capacity.pools[0].blockDeviceMappings[0].ebs.snapshotId (snap-1)",
        ["snap-1", "arn:aws:ec2:*::snapshot/snap-1"],
    ),
    (
        pool(image={"ssmParameter": "/team-b/image"}),
        "parameter/team-b/image",
        ["parameter/team-b/*", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/team-b/image"],
    ),
    (
        {"publish": {"ssmParameter": "/team-b/image"}},
        "publish.ssmParameter (parameter/team-b/image)",
        ["parameter/team-b/*"],
    ),
    (
        mount(source="fs-1"),
        "mounts[0].source (fs-1)",
        ["fs-1", "arn:aws:elasticfilesystem:*:*:file-system/fs-1"],
    ),
    (
        mount(source="nfs.team-b.example.org"),
        "file-system/nfs.team-b.example.org",
        ["file-system/nfs.team-b.*"],
    ),
    (
        mount(source="fs-1.efs.eu-central-1.amazonaws.com"),
        "fs-1.efs.eu-central-1.amazonaws.com",
        ["fs-1.efs.eu-central-1.amazonaws.com"],
    ),
]
# (spec, an entry of its type that does not match, entries each of which allows it)
WHEN_LISTED = [
    (resources(subnets=["subnet-1"]), "subnet-2", ["subnet-1", "arn:aws:ec2:*:*:subnet/*"]),
    (
        resources(securityGroupIds=["sg-1"]),
        "arn:aws:ec2:*:*:security-group/sg-2",
        ["sg-*", f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1"],
    ),
    (resources(launchTemplate={"launchTemplateId": "lt-1"}), "lt-2", ["lt-1"]),
    (
        resources(launchTemplate={"launchTemplateName": "big"}),
        "lt-2",
        ["launch-template/big"],
    ),
    (resources(ec2KeyPair="mine"), "key-pair/theirs", ["key-pair/mine"]),
    (resources(placementGroup="near"), "placement-group/far", ["placement-group/near"]),
    (
        resources(ec2Configuration=[{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}]),
        "ami-2",
        ["ami-1", "arn:aws:ec2:*::image/ami-1"],
    ),
    ({"eksConfiguration": {"kubernetesNamespace": "b"}}, "namespace/a", ["namespace/b"]),
    (pod(metadata={"namespace": "b"}), "namespace/a", ["namespace/b"]),
    (
        container(logConfiguration={"options": {"awslogs-group": "/b"}}),
        "log-group:/a",
        ["log-group:/b", f"arn:aws:logs:*:{ACCOUNT}:log-group:/b"],
    ),
    (pool(subnets=["subnet-1"]), "subnet-2", ["subnet-*"]),
    (pool(securityGroupIds=["sg-1"]), "sg-2", ["sg-1"]),
    (pool(keyName="mine"), "key-pair/theirs", ["key-pair/mine"]),
    (pool(image={"amiId": "ami-1"}), "ami-2", ["ami-1", "arn:aws:ec2:*::image/ami-1"]),
    (pool(placement={"groupName": "near"}), "pg-2", ["placement-group/near"]),
    (pool(placement={"groupId": "pg-1"}), "placement-group/near", ["pg-1"]),
    (
        ebs(kmsKeyId=KEY),
        "arn:aws:kms:*:*:key/other",
        [f"key/{KEY}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY}"],
    ),
]


def refused(spec, entries, *, kind="JobDefinition"):
    allowed = allowances(
        resource("AWSAccount", {"allowedExternalArns": entries}, name="default"), own_region=REGION
    )
    finding = refusal(
        resource(kind, spec), allowed, account_id=ACCOUNT, region=REGION, namespace_labels={}
    )
    return "" if finding is None else finding.text()


@pytest.mark.parametrize(("spec", "shown", "entries"), ALWAYS, ids=lambda value: str(value)[-40:])
def test_what_gives_access_to_others_things_needs_an_entry(spec, shown, entries):
    for useless in ([], ["subnet-1"], ["arn:aws:batch:*:*:job-queue/other"]):
        assert shown in refused(spec, useless)
    for entry in entries:
        assert refused(spec, [entry]) == ""
    inline = {"jobDefinition": spec}
    assert shown in refused(inline, [], kind="BatchJob")


@pytest.mark.parametrize(
    ("spec", "other", "entries"), WHEN_LISTED, ids=lambda value: str(value)[-40:]
)
def test_where_something_runs_is_free_until_the_list_has_an_entry_of_its_type(spec, other, entries):
    for silent in ([], ["fs-1"], ["arn:*"], ["arn:aws:s3:::bucket/*"]):
        assert refused(spec, silent) == ""
    assert "allowedExternalArns of AWSAccount default" in refused(spec, [other])
    for entry in entries:
        assert refused(spec, [other, entry]) == ""


def test_images_that_aws_names_for_everybody_need_no_entry():
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    assert refused(pool(image={"ssmParameter": name}), ["parameter/team-a/*"]) == ""
    secret = container(secrets=[{"name": "DB", "valueFrom": name}])
    assert "parameter/aws/service" in refused(secret, [])


def test_the_instance_profile_of_a_pool_is_one_that_the_account_allows():
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/"
    allowed = allowances(
        resource("AWSAccount", {"allowedRoleArns": [f"{profile}batch-*"]}, name="default"),
        own_region=REGION,
    )
    told = []
    for name in ("batch-nodes", "admin"):
        wanted = resource("ComputeEnvironment", pool(instanceProfile=f"{profile}{name}"))
        finding = refusal(wanted, allowed, account_id=ACCOUNT, region=REGION, namespace_labels={})
        told.append("" if finding is None else finding.message)
    assert told[0] == ""
    assert f"spec.capacity.pools[0].instanceProfile ({profile}admin)" in told[1]


def test_every_guarded_member_is_tried_here():
    tried = {str(spec) for spec, *_ in ALWAYS + WHEN_LISTED}
    untried = {
        name
        for name in RESOURCE_FIELDS
        if not any(repr(name.split(".")[-1]) in one for one in tried)
    }
    alike = {"securityGroups", "imageId", "accessPointArn"}  # as securityGroupIds, and so on
    assert untried <= alike


def test_the_finding_names_the_path_and_what_to_add_where():
    message = refused(pod(serviceAccountName="admin"), [])
    assert "spec.eksProperties.podProperties.serviceAccountName (serviceaccount/admin)" in message
    assert "spec.allowedExternalArns of AWSAccount default" in message


def test_the_finding_of_the_operators_own_identity_names_its_flag():
    own = Allowances(account="", external_arns=())
    finding = refusal(
        resource("JobDefinition", pod(serviceAccountName="admin")),
        own,
        account_id=ACCOUNT,
        region=REGION,
        namespace_labels={},
    )
    assert finding is not None
    assert "--allowed-external-arns" in finding.text()


def test_a_spot_block_may_use_the_reservations_that_are_listed_and_no_others():
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:capacity-reservation"
    for entries, able in (
        (None, {"cr-1", "cr-2"}),  # the operator's own identity, without a limit
        ((), set()),
        (("cr-1",), {"cr-1"}),
        (("cr-*",), {"cr-1", "cr-2"}),
        ((f"{arn}/cr-2",), {"cr-2"}),
        ((f"arn:aws:ec2:{REGION}:999900001111:capacity-reservation/cr-1",), set()),
        (("subnet-*", "sg-1"), set()),
    ):
        allowed = Allowances(account="default", external_arns=entries)
        found = allowed_reservations(["cr-1", "cr-2"], allowed, account_id=ACCOUNT, region=REGION)
        assert found == able, entries


def test_an_id_allows_nothing_of_another_account():
    theirs = "arn:aws:s3files:eu-central-1:999900001111:file-system/fs-1"
    spec = container(volumes=[{"s3FilesVolumeConfiguration": {"fileSystemArn": theirs}}])
    assert theirs in refused(spec, ["fs-1", "file-system/fs-1"])


def test_a_template_that_is_named_like_an_id_is_not_taken_for_that_id():
    spec = resources(launchTemplate={"launchTemplateName": "lt-1"})
    assert "launch-template/lt-1" in refused(spec, ["lt-1"])


def test_an_arn_in_disguise_does_not_pass_for_a_name():
    spec = container(secrets=[{"name": "DB", "valueFrom": f" {SECRET}"}])
    assert refused(spec, ["parameter/*", "arn:aws:ssm:*:*:parameter/*"]) != ""


def test_the_users_own_words_are_no_names_of_things():
    words = {"fileSystemId": "fs-1", "jobRoleArn": "x", "valueFrom": SECRET}
    assert refused({"tags": words, "parameters": words}, []) == ""
    environment = container(environment=[{"name": "S", "value": SECRET}])
    assert refused(environment, []) == ""
