"""Every pattern finds its kind of secret, and none can be made slow by what a job prints."""

import importlib
import time

import pytest

from awsbatch_operator.telemetry.secret_patterns import PATTERNS, REACH
from awsbatch_operator.telemetry.secrets import TEXT_LIMIT, masked, masked_values

re_parser = importlib.import_module("re._parser")
re_constants = importlib.import_module("re._constants")

LONG = 262_144
WIDEST_STEP = 8  # characters that one turn of an unbounded repetition may take

# (text, the part that must not be shown). Invented, and put together here so that no scanner of
# repositories takes them for real ones.
SECRETS = [
    ("export DB_PASSWORD=hunter2", "hunter2"),
    ("password = hunter2", "hunter2"),
    ("password: hunter2 next", "hunter2"),
    ("user:me password:hunter2", "hunter2"),
    ("token: 1234567890123456789", "1234567890123456789"),
    ("password=123456", "123456"),
    ("jdbc:sqlserver://x;uid=me;pwd=hunter2;", "hunter2"),
    ('"db_password" : "hun\\"ter2"', "ter2"),
    ('{"a": "{\\"token\\": \\"hunter2\\"}"}', "hunter2"),
    ("<password>hunter2</password>", "hunter2"),
    ("+ tool --api-key hunter2 --verbose", "hunter2"),
    ("+ tool --db-password='hunter 2' --verbose", "hunter 2"),
    ("AccountKey=" + "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1" + "==;Endpoint", "Eby8vdM0"),
    ("https://s3/x?X-Amz-Credential=AB%2Fx&X-Amz-Signature=deadbeef&y=1", "deadbeef"),
    ("Authorization: AWS4-HMAC-SHA256 Credential=AK/2, Signature=deadbeef", "deadbeef"),
    ("Proxy-Authorization: hunter2", "hunter2"),
    ("cookie: session=hunter2; more=hunter3", "hunter3"),
    ("header Bearer abcdef123456", "abcdef123456"),
    ("basic aHVudGVyMjpodW50ZXIy", "aHVudGVy"),
    ("git clone https://hunter2token@example.com/x", "hunter2"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nMIIE\n-----END OPENSSH PRIVATE KEY-----", "MIIE"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "MIIE"),
    ("eyJhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiJzeXN0ZW0ifQ.c2ln", "c2ln"),
    ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("FwoGZXIvYXdz" + "EBYaDHVudGVyMmh1bnRlcjI=", "HVudGVy"),
    ("Encoded authorization failure message: 4GIOHlTkIaW", "4GIOHl"),
    ("The Canonical String for this request should be\nPOST", "POST"),
    ("ghp" + "_abcdefghijklmnopqrstuvwx", "abcdefgh"),
    ("github" + "_pat_11ABCDEFG0abcdefghijkl", "11ABCDE"),
    ("glpat" + "-abcdefghijklmnopqrst", "abcdefgh"),
    ("hf" + "_abcdefghijklmnopqrstuvwxyzABCDEFGH", "abcdefgh"),
    ("npm" + "_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefgh"),
    ("dckr" + "_pat_abcdefghijklmnopqrstuvwxyz0", "abcdefgh"),
    ("pypi" + "-" + "AgEIcHlwaS5vcmc" * 5, "AgEIcHl"),
    ("dapi" + "0123456789abcdef" * 2, "0123456789abcdef"),
    ("AIza" + "SyA0123456789abcdefghijklmnopqrstuvw", "0123456789"),
    ("ya29." + "a0AfH6SMBabcdefghijkl", "AfH6SMB"),
    ("hvs" + ".CAESIabcdefghijklmnopq", "abcdefgh"),
    ("sk-" + "proj-abcdefghijklmnopqrst", "abcdefgh"),
    ("sk_" + "live_abcdefghijklmnopqrst", "abcdefgh"),
    ("sq0csp" + "-abcdefghijklmnopqrstuvwxyz0", "abcdefgh"),
    ("xoxb" + "-123456789012-abcdefghij", "abcdefgh"),
    ("https://hooks.slack" + ".com/services/T0/B0/abcdefgh", "abcdefgh"),
    ("12345678:AA" + "abcdefghijklmnopqrstuvwxyz0123456", "abcdefgh"),
    ("SG." + "abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz", "abcdefgh"),
    ("0123456789abcdef" * 2 + "-us12", "0123456789abcdef"),
    ("SK" + "0123456789abcdef" * 2, "0123456789abcdef"),
]

BENIGN = [
    "The role arn:aws:iam::111122223333:role/batch cannot be assumed: access denied.",
    "Unable to locate credentials: set AWS_PROFILE.",
    "job 0a1b2c3d-0000-1111-2222-333344445555 is RUNNING",
    "12 tokens per second, loss 0.123",
    "tokens: 4096, max_tokens=512, tokens_per_second: 12.5, --max-tokens 512",
    "tokenizer: bert-base-uncased, tokenizer=AutoTokenizer",
    "arn:aws:secretsmanager:eu-central-1:111122223333:secret:team-b/db-AbCdEf cannot be read",
    "User: me is not authorized to perform: secretsmanager:GetSecretValue on resource: *",
    "arn:aws:batch:eu-central-1:111122223333:job-definition/tokenizer:7",
    "arn:aws:batch:eu-central-1:111122223333:job-definition/secret-santa:7",
    "PWD=/home/me OLDPWD=/tmp",
    "pulled image 111122223333.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:" + "0a" * 32,
    "subnet-0a1b2c3d4e5f60718 in eu-central-1a",
    "s3://bucket/key?versionId=abc and https://example.com:8080/a//b",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "basic training took 12 s",
    "git commit 0123456789abcdef0123456789abcdef01234567",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS, ids=[secret for _, secret in SECRETS])
def test_a_well_known_secret_is_masked_wherever_it_stands(text, secret):
    for shown in (masked(text), masked(f"before {text}"), masked(f"{text} after")):
        assert secret not in shown
        assert "***" in shown


@pytest.mark.parametrize("text", [text for text, _ in SECRETS] + BENIGN)
def test_among_the_values_of_a_log_line_a_text_is_masked_as_it_is_alone(text):
    line = {"event": "created", "count": 1, "said": text, "name": "simulate", "exc": None}
    assert masked_values(line) == {**line, "said": masked(text)}


@pytest.mark.parametrize("text", BENIGN)
def test_what_helps_a_person_stays(text):
    assert masked(text) == text


def test_no_pattern_is_without_an_example():
    untried = [
        pattern.finds.pattern
        for pattern in PATTERNS
        if not any(pattern.finds.search(text) for text, _ in SECRETS)
    ]
    assert untried == []


def test_the_heads_of_a_pattern_stand_in_whatever_it_finds():
    for pattern in PATTERNS:
        for text, _ in SECRETS:
            for found in pattern.finds.finditer(text):
                assert any(head in found.group().lower() for head in pattern.heads), text


# --- the rule that makes matching linear ---


def reach(parsed):
    """(characters looked at before the first unbounded repetition, whether there is one).

    AssertionError where the rule of secret_patterns.py is broken.
    """
    seen, ended = 0, False
    for operation, argument in parsed:
        if ended:
            least, _ = re_parser.SubPattern(parsed.state, [(operation, argument)]).getwidth()
            assert least == 0, f"{operation} can fail after an unbounded repetition"
        here, ended_here = _reach_of(operation, argument)
        seen += 0 if ended else here
        ended = ended or ended_here
    return seen, ended


def _reach_of(operation, argument):
    names = re_constants
    if operation in (names.ASSERT, names.ASSERT_NOT):
        seen, ended = reach(argument[1])
        assert not ended, "a look around must be bounded"
        return seen, False
    if operation is names.SUBPATTERN:
        return reach(argument[-1])
    if operation is names.BRANCH:
        branches = [reach(branch) for branch in argument[1]]
        return max(seen for seen, _ in branches), any(ended for _, ended in branches)
    if operation in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
        least, most, body = argument
        seen, ended = reach(body)
        if most is not names.MAXREPEAT:
            assert not ended or most == 1
            return seen * most, ended
        assert operation is names.POSSESSIVE_REPEAT, "what may be tried again is not linear"
        assert seen <= WIDEST_STEP
        return max(least, 1) * seen, True
    return (0 if operation is names.AT else 1), False


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.heads[0])
def test_a_pattern_looks_at_a_bounded_text_and_then_cannot_fail(pattern):
    seen, _ = reach(re_parser.parse(pattern.finds.pattern))
    assert seen <= REACH


def test_the_rule_refuses_patterns_that_are_known_to_be_slow():
    for slow in (r"token[\w.-]*=", r"(a+)+b", r"a.*b", r"x[a-z]++y", r"(?=a*b)c", r"a+"):
        with pytest.raises(AssertionError):
            reach(re_parser.parse(slow))


HEADS = sorted({head for pattern in PATTERNS for head in pattern.heads})
HOSTILE = [
    *HEADS,
    *("eyJ", "://", '"', "'", "\\", "--", "Basic ", " ", "a", "-----BEGIN ", "-----END "),
    *("token.", 'token"', "token: ", "-----BEGIN RSA PRIVATE KEY-----", "SG." + "a" * 20),
]


@pytest.mark.parametrize("head", HOSTILE)
def test_the_time_for_a_hostile_text_does_not_grow_with_its_length(head):
    """256 kB take what the first few kB take: milliseconds, where they took minutes."""
    text = (head * (LONG // len(head) + 1))[:LONG]
    began = time.process_time()
    shown = masked(text)
    assert time.process_time() - began < 0.1  # seen: 0.003 at most, on a busy machine
    assert len(shown) <= TEXT_LIMIT * 2


@pytest.mark.parametrize("head", ["token", "token=a ", "--", "-----BEGIN ", "eyJ", "//a", "pwd"])
def test_without_any_cut_the_time_grows_no_faster_than_the_text(head):
    """Eight times the text, eight times the work; quadratic patterns take sixty-four times."""

    def spent(length):
        text = (head * (length // len(head) + 1))[:length]
        took = []
        for _ in range(3):
            began = time.process_time()
            masked(text, limit=length)
            took.append(time.process_time() - began)
        return min(took)

    spent(1024)
    assert spent(128 * 1024) < 24 * max(spent(16 * 1024), 0.0005)
