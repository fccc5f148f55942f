r"""What secrets look like: the table that `secrets.py` masks by.

Any job can print any text, so a pattern here must never take more than linear time. The rule that
gives this, held by tests/unit/telemetry/test_secret_patterns.py: before its first unbounded
repetition a pattern looks at no more than REACH characters, and after it nothing can fail. One
attempt then costs a bounded look, or ends in a match, and the search goes on behind the match.
Repetitions are possessive (`++`, `{0,64}+`), so nothing is tried twice.

Which formats are well known: the plug-ins of detect-secrets, the secret scanning of GitHub and
GitLab, and the vendors' own pages (names of the vendors beside the patterns).
"""

import re
from dataclasses import dataclass

REACH = 1024  # characters; the most that a pattern may have to see before it knows a secret


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """One way in which a secret shows itself.

    `heads` are lower-case texts of which one stands in every match; where none does, the pattern is
    not tried. The group `secret` is what is masked; without such a group, the whole match.
    """

    heads: tuple[str, ...]
    finds: re.Pattern[str]


def _pattern(heads: str, *parts: str) -> SecretPattern:
    return SecretPattern(tuple(heads.split()), re.compile("".join(parts)))


# A value: in quotes up to the closing quote of its line, else up to a space, a quote, & or <.
_VALUE = r"(?P<secret>(?<=\")(?:[^\"\\\n]|\\.)++|(?<=')(?:[^'\\\n]|\\.)++|[^\s\"'&<]++)"
_OPENING = r"(?:\\{0,3}+[\"'])?+"  # a quote, escaped where JSON stands in JSON
_REST = r"[\w.-]{0,64}+"  # what may follow the telling word in a name, as in TOKEN_FOR_TESTS

_WORDS = r"(?i:secret|passw(?:or)?d|passphrase|(?:api|access|account|private|auth)[_-]?key)"
_WORD_HEADS = (
    "secret password passwd passphrase token apikey api_key api-key accesskey access_key "
    "access-key accountkey account_key account-key privatekey private_key private-key "
    "authkey auth_key auth-key pwd"
)
# A number behind "tokens" counts them, and a tokenizer is none; PWD is mostly a folder.
_TOKEN, _NO_COUNT = r"(?i:token(?!i[sz]))", r"(?![\d.,_]{1,12}+(?:[^\w.,]|\Z))"
_PWD, _NO_FOLDER = r"(?i:pwd)", r"(?!/)"


def _named(between: str, rest: str = _REST) -> str:
    """A name that tells, and what stands between it and its value."""
    return (
        rf"(?:{_WORDS}{rest}(?:{between})|{_TOKEN}{rest}(?:{between}){_NO_COUNT}"
        rf"|{_PWD}{rest}(?:{between}){_NO_FOLDER})"
    )


PATTERNS = (
    # name=value, name => value, "name": "value", <name>value
    _pattern(
        _WORD_HEADS,
        _named(
            rf"{_OPENING}[ \t]{{0,8}}+(?:=>|:=|=)[ \t]{{0,8}}+|>"
            rf"|\\{{0,3}}+[\"'][ \t]{{0,8}}+:[ \t]{{0,8}}+"
        ),
        rf"{_OPENING}{_VALUE}",
    ),
    # name: value; but not in an ARN, such as arn:aws:secretsmanager:… or job-definition/token:7,
    # nor in the name of an action, such as secretsmanager:GetSecretValue
    _pattern(
        _WORD_HEADS,
        r"(?<![:/])(?!secretsmanager:[A-Z])",
        _named(r"[ \t]{0,8}+:(?!:)[ \t]{0,8}+"),
        rf"{_OPENING}{_VALUE}",
    ),
    # --name value
    _pattern(
        "--",
        r"(?<![\w-])--[\w-]{0,32}?",
        _named(r"[ \t]{1,8}+", rest=r"[\w-]{0,64}+"),
        rf"{_OPENING}{_VALUE}",
    ),
    # Words that prose has before a colon, too: "Unable to locate credentials: set …"
    _pattern(
        "credential signature",
        rf"(?i:credential|signature){_REST}(?:=|\\{{0,3}}+[\"'][ \t]{{0,8}}+:[ \t]{{0,8}}+)",
        rf"{_OPENING}{_VALUE}",
    ),
    # A header, whatever its scheme; and a scheme without its header
    _pattern(
        "authorization cookie",
        rf"(?i:authorization|\bcookie){_OPENING}[ \t]{{0,8}}+[:=][ \t]{{0,8}}+{_OPENING}",
        r"(?i:(?:basic|bearer|digest|negotiate|token|aws4-hmac-sha256)[ \t]{1,8}+)?+",
        r"(?P<secret>[^\n\"']++)",
    ),
    _pattern(
        "bearer basic",
        r"\b(?i:bearer|basic)[ \t]{1,8}+",
        r"(?=[\w.~+/=-]{0,64}?[A-Z0-9+=])(?P<secret>[\w.~+/=-]{8,}+)",
    ),
    # User and password in a URL; a user alone is often a token
    _pattern("//", r"//(?P<secret>[^/\s@]{1,512}+)(?=@)"),
    # A key over several lines, and one of which only the last lines are seen
    _pattern(
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}?(?:PRIVATE KEY|PGP MESSAGE)[A-Z ]{0,16}+-----",
        r"(?:[^-]|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,64}+-----)?+",
    ),
    # JSON in base64url: web tokens, such as a pod's own, with or without their signature
    _pattern("eyj", r"\beyJ[\w-]{17,}+(?:\.[\w-]*+)*+"),
    # AWS: access key ids; session tokens; what it adds to its own error messages
    _pattern("akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}+"),
    _pattern(
        "iqojb3jpz2lu fwogzxivyxdz fqogzxivyxdz aqodyxdz",
        r"\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|AQoDYXdz)[\w+/=%-]{16,}+",
    ),
    _pattern(
        "encoded authorization failure",
        r"(?i)encoded authorization failure message:[ \t]{0,8}+(?P<secret>\S++)",
    ),
    _pattern(
        "the canonical string for this",
        r"(?is)the canonical string for this request(?P<secret>.++)",
    ),
    # GitHub; GitLab; Hugging Face; Docker; npm; PyPI; Databricks
    _pattern("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{20,}+"),
    _pattern("github_pat_", r"\bgithub_pat_\w{20,}+"),
    _pattern("glpat- gldt- glrt- glcbt- glptt-", r"\bgl(?:pat|dt|rt|cbt|ptt)-[\w.-]{16,}+"),
    _pattern("hf_ npm_", r"\b(?:hf|npm)_[A-Za-z0-9]{30,}+"),
    _pattern("dckr_pat_ dckr_oat_", r"\bdckr_[po]at_[\w-]{20,}+"),
    _pattern("pypi-", r"\bpypi-[\w-]{50,}+"),
    _pattern("dapi", r"\bdapi[0-9a-f]{32,}+"),
    # Google: API keys, OAuth
    _pattern("aiza", r"\bAIza[\w-]{35,}+"),
    _pattern("ya29. gocspx-", r"\b(?:ya29\.|GOCSPX-)[\w-]{20,}+"),
    # HashiCorp Vault
    _pattern("hvs. hvb. hvr.", r"\bhv[sbr]\.[\w-]{20,}+"),
    # OpenAI, Anthropic; Stripe; Square
    _pattern("sk-", r"\bsk-[\w-]{20,}+"),
    _pattern("_live_ _test_", r"\b[rsp]k_(?:live|test)_\w{16,}+"),
    _pattern("sq0", r"\bsq0[a-z]{3}-[\w-]{22,}+"),
    # Slack; Discord; Telegram
    _pattern("xox xapp-", r"\b(?:xox[a-z]|xapp)-[\w-]{10,}+"),
    _pattern(
        "hooks.slack.com discord",
        r"(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks)/",
        r"(?P<secret>[^\s\"']++)",
    ),
    _pattern(":aa", r"\b[0-9]{8,10}+:AA[\w-]{32,}+"),
    # SendGrid; Mailchimp; Twilio
    _pattern("sg.", r"\bSG\.[\w-]{16,64}+\.[\w-]{16,}+"),
    _pattern("-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    _pattern("sk", r"\bSK[0-9a-f]{32}\b"),
)
