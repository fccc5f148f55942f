"""Texts of others in a script of ours: bash takes each as it was given, and as nothing else."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsbatch_operator.userdata.images.quoting import call, feeding, fstab_word, label, unit_word

HOSTILE = (
    "'; touch /pwned; '",
    "$(touch /pwned)",
    "`touch /pwned`",
    "a\nEND_OF_CONTENT\ntouch /pwned\n",
    "END_OF_CONTENT\n",
    "\r\n\t\x0b\x1b",
    "--",
    "-rf",
    "",
    " ",
    "\\",
    "\\x41",
    "!!",
    "é\u2028\U0001f600",
    "@NONCE@ @BLOCK@",
    "*",
    "~",
    "{a,b}",
    "#!/bin/sh",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60).filter(lambda text: "\0" not in text and _encodes(text)),
    st.text("'\"\\$`\n;&|()<>END_OF_CONTENT#@ ", max_size=60),
)


def _encodes(text):
    return not any("\ud800" <= each <= "\udfff" for each in text)


def printed(script):
    """What bash prints, given a function that shows its words and one that shows its input."""
    functions = "show() { printf '%s\\0' \"$@\"; }\nswallow() { show \"$@\"; cat; printf '\\0'; }\n"
    done = subprocess.run(
        ["/bin/bash", "-eu"], input=(functions + script).encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=1, max_size=6), min_size=20, max_size=40))
def test_every_word_arrives_as_it_was_given(calls):
    script = "".join(call("show", *words) for words in calls)
    assert script.isascii()
    assert "\r" not in script
    assert printed(script) == [each for words in calls for each in words]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["", "\n"])), min_size=20, max_size=40))
def test_every_content_arrives_to_the_byte(given_ones):
    contents = [(name, f"{text}{end}") for name, text, end in given_ones]
    script = "".join(feeding("swallow", name, content=text) for name, text in contents)
    assert script.isascii()
    assert "\r" not in script
    assert printed(script) == [each for pair in contents for each in pair]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_and_contents_run_nothing(text):
    script = call("show", text) + feeding("swallow", text, content=text)
    assert printed(script) == [text, text, text]


def test_what_no_text_can_hold_is_left_out_or_carried_all_the_same():
    assert printed(call("show", "a\0b")) == ["ab"]
    assert "\\xed\\xa0\\x80" in call("show", "\ud800")


def test_a_plain_content_stands_for_a_reader_to_read():
    assert feeding("put", "/etc/motd", content="Welcome\n") == (
        "put /etc/motd <<'END_OF_CONTENT'\nWelcome\nEND_OF_CONTENT\n"
    )


@pytest.mark.parametrize(
    ("text", "made"),
    [("a b\tc\\d\n#e", "a\\040b\\011c\\134d\\012\\043e"), ("/efs", "/efs"), ("é", "é")],
)
def test_a_field_of_fstab_has_no_blanks(text, made):
    assert fstab_word(text) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("/efs", "/efs"),
        ("/a b", '"/a b"'),
        ("/50%", "/50%%"),
        ('/"\\', '"/\\"\\\\"'),
        ("/a\n[Service]\nExecStart=/bin/x", '"/a\\n[Service]\\nExecStart=/bin/x"'),
    ],
)
def test_a_word_of_a_unit_is_one_word(text, made):
    assert unit_word(text) == made


@given(st.text(max_size=100))
def test_a_step_is_one_word_whatever_its_script_is_called(name):
    assert label(name).isascii()
    assert 1 <= len(label(name)) <= 64
    assert not any(each.isspace() or each == "=" for each in label(name))
