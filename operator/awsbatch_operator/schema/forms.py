"""What texts must look like, each with words for whoever wrote something else.

A bare `pattern` would tell people "should match '^[a-z0-9]([-a-z0-9.]*…". So a form is a CEL rule:
it says what the text is not, what is expected, and gives an example. It needs no `minLength` beside
it (no form takes an empty text) but always a `maxLength`, by which the API server prices it.
"""

from awsbatch_operator.schema.rules import Rule, form

NAME = form(
    "object-name",
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    "is no name of a Kubernetes object",
    "Names have lower-case letters, digits, '-' and '.', and begin and end with a letter or a "
    "digit, such as main-queue.",
)
DEFINITION_NAME = form(
    "definition-name",
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    "is no name of a JobDefinition",
    "A JobDefinition goes by its own name, such as simulate, and one of its revisions by its "
    "number in revision; a revision that no object here manages goes by its ARN, in arn.",
)
NAMESPACE = form(
    "namespace-name",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "is no name of a namespace",
    "Names have lower-case letters, digits and '-', and begin and end with a letter or a digit, "
    "such as team-a.",
)
REGION = form(
    "region",
    r"^[a-z]+(-[a-z]+)+-[0-9]+$",
    "is no AWS region",
    "Write its code, such as eu-central-1 or us-gov-west-1; its name and its Availability Zones "
    "are no regions.",
)
AWS_NAME = form(
    "aws-name",
    r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
    "is no name that AWS Batch takes",
    "Names have letters, digits, '-' and '_', and begin with a letter or a digit, such as "
    "shared_spot-1.",
)
ROLE_ARN = form(
    "role-arn",
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$",
    "is no ARN of an IAM role",
    "Write all of it, with the 12 digits of its account, such as "
    "arn:aws:iam::111122223333:role/batch-operator: a name alone does not say in which account the "
    "role is.",
)
EXTERNAL_ID = form(
    "external-id",
    r"^[0-9A-Za-z_+=,.@:/-][0-9A-Za-z_+=,.@:/-]+$",
    "is no external id that IAM takes",
    "Write two or more letters, digits and characters of _ + = , . @ : / -, as the trust policy "
    "of the role has them, such as agreed-2024.",
)
ARN_GLOB = form(
    "arn-glob",
    r"^arn:",
    "is no ARN",
    "Write one, with * for any characters, such as arn:aws:iam::111122223333:role/batch-*.",
)
# An ARN, an id, or type and name as ARNs and kubectl write them. A test compares this with the
# types of kinds/named_resources.py: an entry that could never match would be a trap.
RESOURCE_PATTERN = (
    r"^(arn:|(subnet|sg|lt|ami|fs|fsap|pg|snap)-|(access-point|consumable-resource|file-system"
    r"|image|key|key-pair|launch-template|namespace|parameter|persistentvolumeclaim"
    r"|placement-group|secret|security-group|serviceaccount|snapshot|subnet)/"
    r"|(secret|log-group):)"
)
RESOURCE_GLOB = form(
    "resource-glob",
    RESOURCE_PATTERN,
    "names nothing that a spec could name",
    "Write an ARN, an id (such as sg-0a1b2c3d or subnet-*), or a type and a name (such as "
    "serviceaccount/team-a, parameter/team-a/* or secret:team-a/*).",
)
JOB_ID = form(
    "job-id",
    r"^[A-Za-z0-9:#-]+$",
    "is no id of a job in AWS Batch",
    "Ids look like 4c1cb2c5-9d3e-4c55-8c0b-0f2f7b1f3a11, with :7 for a job of an array; a "
    "BatchJob of this namespace goes by its name, in name.",
)
IMAGE = form(
    "image",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[A-Za-z0-9][A-Za-z0-9._#-]*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@[a-z0-9]+:[0-9a-f]{32,128})?$",
    "is no name of an image",
    "Write registry, repository and tag or digest (32 to 128 hexadecimal digits, in lower case), "
    "without a scheme and without spaces, such as busybox:1.36 or "
    "111122223333.dkr.ecr.eu-central-1.amazonaws.com/simulate:2.",
)
AMOUNT = form(
    "amount",
    r"^[0-9]+(\.[0-9]+)?$",
    "is no amount",
    'VCPU and GPU are numbers, such as "0.5" or "2"; MEMORY is a number of MiB, so 2 GB are '
    '"2048". Write no unit.',
)
EXIT_CODE = form(
    "exit-code",
    r"^([0-9]+\*?|\*)$",
    "is no exit code",
    "Write digits, and * at the end for every code that begins so, such as 137 or 13*.",
)
NODES = form(
    "target-nodes",
    r"^([0-9]+|[0-9]*:[0-9]*)$",
    "is no range of nodes",
    'Write one index, such as "0", or a range, such as "0:3", ":3" or "2:".',
)
VOLUME = form(
    "volume-name",
    r"^[A-Za-z0-9_-]+$",
    "is no name of a volume",
    "Names have letters, digits, '-' and '_', such as scratch.",
)
TEMPLATE_ID = form(
    "launch-template-id",
    r"^lt-[0-9a-f]+$",
    "is no id of a launch template",
    "Ids look like lt-0a1b2c3d4e5f67890; a template goes by its name in launchTemplateName.",
)
SHARE = form(
    "share-identifier",
    r"^([A-Za-z0-9]+\*?|\*)$",
    "is no share identifier",
    "AWS takes letters and digits, and * at the end for all that begin so, such as teamA or team*.",
)
WEIGHT = form(
    "weight",
    r"^[0-9]{1,3}(\.[0-9]{1,4})?$",
    "is no weight",
    "Write a decimal from 0.0001 to 999.9999 in quotes, with at most 3 digits before the point and "
    "4 behind it, such as '0.5'; a lower weight gets more.",
)
DECIMAL = form(
    "decimal",
    r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$",
    "is no decimal",
    "Write at most 12 digits in quotes, with a point and at most 9 more where there is a fraction, "
    "such as '0.25'.",
)

POOL_NAME = form(
    "pool-name",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "is no name of a pool",
    "Names have lower-case letters, digits and '-', and begin and end with a letter or a digit, "
    "such as main.",
)
INSTANCE_TYPE = form(
    "instance-type",
    r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$",
    "is no instance type",
    "Write family and size, such as r7i.large; whole families go into "
    "instanceRequirements.families.",
)
INSTANCE_FAMILY = form(
    "instance-family",
    r"^[a-z][a-z0-9-]*$",
    "is no family of instance types",
    "Write what stands before the point of a type, such as r7i; single types go into "
    "instanceTypes.",
)
SUBNET_ID = form(
    "subnet-id",
    r"^subnet-[0-9a-f]+$",
    "is no id of a subnet",
    "Ids look like subnet-0a1b2c3d4e5f67890. Look it up with aws ec2 describe-subnets.",
)
SECURITY_GROUP_ID = form(
    "security-group-id",
    r"^sg-[0-9a-f]+$",
    "is no id of a security group",
    "Ids look like sg-0a1b2c3d4e5f67890. Look it up with aws ec2 describe-security-groups.",
)
IMAGE_ID = form(
    "ami-id",
    r"^ami-[0-9a-f]+$",
    "is no id of a machine image",
    "Ids look like ami-0a1b2c3d4e5f67890. Look it up with aws ec2 describe-images.",
)
SNAPSHOT_ID = form(
    "snapshot-id",
    r"^snap-[0-9a-f]+$",
    "is no id of a snapshot",
    "Ids look like snap-0a1b2c3d4e5f67890. Look it up with aws ec2 describe-snapshots.",
)
PLACEMENT_GROUP_ID = form(
    "placement-group-id",
    r"^pg-[0-9a-f]+$",
    "is no id of a placement group",
    "Ids look like pg-0a1b2c3d4e5f67890; a placement group goes by its name in groupName.",
)
PROFILE_ARN = form(
    "instance-profile-arn",
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/.+$",
    "is no ARN of an instance profile",
    "Write all of it, with the 12 digits of its account, such as "
    "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole; a role is none.",
)
PARAMETER_NAME = form(
    "parameter-name",
    r"^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
    "is no name of a parameter",
    "Write its name, not its ARN, such as /images/atmos or "
    "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id.",
)
KMS_KEY = form(
    "kms-key",
    r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/)?[0-9a-z-]+$",
    "is no KMS key",
    "Write the key's id, or its ARN with the 12 digits of its account. What an alias stands for "
    "can change between two launches: look the key up with aws kms describe-key.",
)
EPHEMERAL = form(
    "virtual-name",
    r"^ephemeral[0-9]+$",
    "is no volume of the instance store",
    "They are numbered from 0, such as ephemeral0.",
)
PRICE = form(
    "price",
    r"^([0-9]*[1-9][0-9]*(\.[0-9]+)?|[0-9]+\.[0-9]*[1-9][0-9]*)$",
    "is no price",
    "Write US dollars an hour, more than 0, as a decimal in quotes and without a currency, such as "
    "'0.03'.",
)


def batch_arn(resource: str, kind: str, example: str) -> Rule:
    """The ARN of a thing of AWS Batch; those that an object manages go by the object's name."""
    return form(
        f"{resource}-arn",
        rf"^arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{{12}}:{resource}/[A-Za-z0-9_:-]+$",
        f"is no ARN of a {resource.replace('-', ' ')} of AWS Batch",
        "Write all of it, with the 12 digits of its account, such as "
        f"arn:aws:batch:eu-central-1:111122223333:{resource}/{example}; a {kind} of this namespace "
        "goes by its name, in name.",
    )
