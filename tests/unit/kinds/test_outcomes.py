"""What an error means for an object: who never asked AWS does not say that AWS refuses."""

import botocore.session
import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from awsbatch_operator.api import catalogue
from awsbatch_operator.aws.failures import Attempt, translate
from awsbatch_operator.kinds import outcomes

CALL = Attempt(
    service="sts",
    operation="GetCallerIdentity",
    action="sts:GetCallerIdentity",
    identity="the operator's own identity",
    sent=False,
)
URL = "https://sts.eu-central-1.amazonaws.com/"
UNASKED = (
    (boto.NoCredentialsError(), catalogue.NO_CREDENTIALS, "has no AWS credentials"),
    (boto.ProfileNotFound(profile="dev"), catalogue.NO_CREDENTIALS, "profile (dev)"),
    (
        boto.CredentialRetrievalError(provider="pod", error_msg="no agent"),
        catalogue.NO_CREDENTIALS,
        "no agent",
    ),
    (boto.NoRegionError(), catalogue.IDENTITY_UNKNOWN, "no AWS region"),
    (boto.EndpointConnectionError(endpoint_url=URL), catalogue.UNREACHABLE, URL),
    (boto.ConnectTimeoutError(endpoint_url=URL), catalogue.UNREACHABLE, "no connection"),
    (boto.ProxyConnectionError(proxy_url="http://p"), catalogue.UNREACHABLE, "proxy"),
    (
        boto.SSLError(endpoint_url=URL, error="certificate verify failed"),
        catalogue.NOT_TRUSTED,
        "certificate verify failed",
    ),
)


def refused(code, message="no", operation="GetCallerIdentity"):
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        },
        operation,
    )


def of(error):
    return outcomes.finding(translate(error, CALL))


# What each of botocore's providers is in our words. "": of tools that nobody has had for ten years.
PLACES = {
    "env": "AWS_ACCESS_KEY_ID",
    "assume-role": "~/.aws/config",
    "assume-role-with-web-identity": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "sso": "~/.aws/config",
    "shared-credentials-file": "~/.aws/credentials",
    "login": "~/.aws/config",
    "custom-process": "~/.aws/config",
    "config-file": "AWS_CONFIG_FILE",
    "ec2-credentials-file": "",
    "boto-config": "",
    "container-role": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "iam-role": "the metadata service of the node",
}


def test_where_credentials_are_looked_for_is_said_of_every_place_that_botocore_looks_in():
    resolver = botocore.session.Session().get_component("credential_provider")
    assert {each.METHOD for each in resolver.providers} == PLACES.keys()
    message = of(boto.NoCredentialsError()).message
    assert [place for place in PLACES.values() if place not in message] == []


@pytest.mark.parametrize(("error", "reason", "words"), UNASKED, ids=lambda each: str(each)[:30])
def test_what_aws_was_never_asked_is_no_refusal_of_aws(error, reason, words):
    finding = of(error)
    assert finding.reason is reason
    assert words in finding.message
    assert "sts:GetCallerIdentity was not sent" in finding.message
    assert "refuses" not in finding.text()
    assert "Grant the action" not in finding.text()


def test_no_credentials_no_region_no_route_no_trust_and_no_right_are_different_sentences():
    texts = {finding.reason: finding.text() for finding in (of(error) for error, _, _ in UNASKED)}
    texts[catalogue.PERMISSION_DENIED] = of(refused("AccessDenied")).text()
    texts[catalogue.CREDENTIALS_REFUSED] = of(refused("InvalidClientTokenId")).text()
    assert len(set(texts.values())) == 6
    assert len({finding.split(":")[0] for finding in texts.values()}) == 6


def test_who_has_no_right_reads_which_annotation_helps_at_once():
    text = of(refused("AccessDenied")).text()
    assert "Grant the action to the identity" in text
    assert "at once when the annotation awsbatch.dev/reconcile-at gets a new value" in text


def test_the_role_of_a_pod_that_may_not_be_assumed_is_no_refusal_of_the_call_itself():
    """botocore assumes it before it signs: with IRSA, every call of the operator ends like this."""
    message = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    finding = of(refused("AccessDenied", message, "AssumeRoleWithWebIdentity"))
    assert finding.message.startswith("AWS refuses sts:AssumeRoleWithWebIdentity to the operator's")
    assert "trust policy" in finding.text()
    assert "OIDC" in finding.text()


def test_a_role_that_is_not_entered_names_trust_policy_and_external_id():
    finding = of(refused("AccessDenied", "no", "AssumeRole"))
    for words in ("spec.roleArn", "trust policy", "spec.externalId", "awsbatch.dev/reconcile-at"):
        assert words in finding.text()
