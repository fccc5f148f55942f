"""AWSAccount."""

from tests.support.crd_cases.cases import bound, case

ROLE = "arn:aws:iam::111122223333:role/batch-operator"

BASE = {"roleArn": ROLE, "region": "eu-central-1"}

CASES = {
    "external-id-needs-role": case(
        accepts=[{"externalId": "agreed"}, {"roleArn": None}],
        refuses={"roleArn": None, "externalId": "agreed"},
    ),
    "namespaces-by-name-or-label": case(
        accepts=[
            {"allowedNamespaces": {"names": ["team-a"]}},
            {"allowedNamespaces": {"matchLabels": {"batch": "yes"}}},
        ],
        refuses=[
            {"allowedNamespaces": {}},
            {"allowedNamespaces": {"names": ["team-a"], "matchLabels": {"batch": "yes"}}},
        ],
    ),
}

BOUNDS = (
    bound("spec.roleArn", accepts={"roleArn": ROLE}, refuses={"roleArn": "batch-operator"}),
    bound(
        "spec.region",
        accepts=[{"region": "us-gov-west-1"}, {"region": "eusc-de-east-1"}],
        refuses={"region": "frankfurt"},
    ),
    bound(
        "spec.allowedNamespaces.names",
        accepts={"allowedNamespaces": {"names": ["a", "b"]}},
        refuses={"allowedNamespaces": {"names": []}},
    ),
    bound(
        "spec.allowedNamespaces.names[1]",
        accepts={"allowedNamespaces": {"names": ["a", "b"]}},
        refuses={"allowedNamespaces": {"names": ["a", "a"]}},
    ),
    bound(
        "spec.allowedExternalArns[0]",
        accepts=[
            {"allowedExternalArns": [entry]}
            for entry in (
                "arn:aws:secretsmanager:*:*:secret:team-a/*",
                "sg-0a1b2c3d",
                "subnet-*",
                "lt-0a1b2c3d",
                "fs-0a1b2c3d",
                "serviceaccount/team-a",
                "parameter/team-a/*",
                "secret:team-a/*",
            )
        ],
        refuses=[{"allowedExternalArns": ["*"]}, {"allowedExternalArns": ["sg1"]}],
    ),
    bound(
        "spec.allowedRegions[0]",
        accepts=[{"allowedRegions": []}, {"allowedRegions": ["us-east-1", "eusc-de-east-1"]}],
        refuses=[{"allowedRegions": ["us-*"]}, {"allowedRegions": ["virginia"]}],
    ),
)
