import pytest

from awsbatch_operator.telemetry.secrets import masked, masked_values

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key AKIAIOSFODNN7EXAMPLE is unknown", "AKIAIOSFODNN7EXAMPLE"),
        ("temporary ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
        ('{"SecretAccessKey": "wJalrXUtnFEMI"}', "wJalrXUtnFEMI"),
        ("{'password': 'hunter2'}", "hunter2"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        (f"token {TOKEN} expired", TOKEN),
        ("https://user:hunter2@example.com/x", "hunter2"),
        ("https://s3/x?X-Amz-Signature=deadbeef&y=1", "deadbeef"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text, secret):
    assert secret not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "The role arn:aws:iam::111122223333:role/batch cannot be assumed: access denied.",
        "Unable to locate credentials: set AWS_PROFILE.",
        "job 0a1b2c3d-0000-1111-2222-333344445555 is RUNNING",
        "https://batch.eu-central-1.amazonaws.com/v1/submitjob",
        "the token is missing",
    ],
)
def test_what_helps_a_person_stays(text):
    assert masked(text) == text


def test_values_are_masked_by_their_names_at_every_depth():
    values = {
        "event": "assumed",
        "role": "arn:aws:iam::1:role/x",
        "credentials": {"a": 1},
        "answer": {"SessionToken": "abc", "list": [{"api_key": "k"}, "password=x"], "count": 3},
        "secret_name": "",
    }
    assert masked_values(values) == {
        "event": "assumed",
        "role": "arn:aws:iam::1:role/x",
        "credentials": "***",
        "answer": {"SessionToken": "***", "list": [{"api_key": "***"}, "password=***"], "count": 3},
        "secret_name": "",
    }
