import json
import time

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


# --- bounds: what is masked may be any size, and masking runs on the event loop ---


def test_a_long_text_keeps_its_beginning_and_says_that_it_was_cut():
    assert masked("a" * 50, limit=10) == "a" * 10 + "…"
    assert masked("a" * 10, limit=10) == "a" * 10


@pytest.mark.parametrize("before", range(70))
def test_no_cut_leaves_half_of_a_secret(before):
    """Whatever part of a secret lies behind the cut, the part before it is not shown."""
    secret = "gh" + "p_" + "abcdefghijklmnopqrstuvwxyz0123456789"
    shown = masked("x " * before + secret + " and more " * 200, limit=60)
    assert "abcd" not in shown


def test_masks_that_shorten_a_text_do_not_bring_what_was_cut_into_it():
    """Every mask shortens; what moves up must not be the unrecognised end of the looked-at text."""
    text = "password=" + "x" * 100 + " "
    shown = masked(text * 200 + "tail", limit=1000)
    assert shown.count("password=***") == 10
    assert "tail" not in shown


def test_masks_that_are_longer_than_what_they_hide_do_not_lengthen_the_text():
    shown = masked("pwd=a " * 100, limit=600)
    assert len(shown) == 601
    assert shown.endswith("…")
    assert "=a" not in shown


def test_secrets_that_overlap_are_masked_as_one():
    assert masked("password=gh" + "p_abcdefghijklmnopqrstuvwx next") == "password=*** next"


def test_a_record_of_any_size_takes_bounded_work_and_room():
    hostile = "token" * 50_000
    record = {
        "event": hostile,
        "many": {f"{number} {hostile}": hostile for number in range(150)},
        "long": [hostile] * 10_000,
        hostile: "value",
    }
    began = time.process_time()
    shown = masked_values(record)
    assert time.process_time() - began < 1
    assert len(json.dumps({**shown, hostile: ""})) < 2 * len(hostile)
    assert shown["many"]["…"] == "50 more"
    assert shown["long"][-1] == "…"


def test_many_small_things_are_too_much_as_well():
    inner: dict = {"many": 1}
    for _ in range(5):
        inner = {f"n{number}": inner for number in range(100)}  # 100 ** 5 paths
    began = time.process_time()
    shown = json.dumps(masked_values(inner))
    assert time.process_time() - began < 1
    assert len(shown) < 1_000_000


def test_deep_nesting_ends():
    inner: list = []
    for _ in range(1000):
        inner = [inner]
    assert "…" in json.dumps(masked_values({"deep": inner}), ensure_ascii=False)


def test_what_is_no_text_is_masked_by_its_text():
    shown = masked_values({"error": ValueError("password=hunter2"), "set": {"token=hunter2"}})
    assert shown == {"error": "password=***", "set": ["token=***"]}


def test_names_that_carry_secrets_are_masked_too():
    assert masked_values({"seen": {"token=hunter2": 1}}) == {"seen": {"token=***": 1}}
