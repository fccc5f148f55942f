"""The commands that are found in a shell script, and that finding them takes linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.userdata.shell import commands


def words(text):
    return [" ".join(command.words) for command in commands(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a; b&&c||d|e & f", ["a", "b", "c", "d", "e", "f"]),
        ("a 'b;c' \"d && e\" f\\;g", ["a b;c d && e f;g"]),
        ("a # b; c\nd#e", ["a", "d#e"]),
        ("cat <<E <<-'F'\nx; y\nE\n\tz\n\tF\na", ["cat", "a"]),
        ("a <<<'b'", ["a <<< b"]),
        ("X=1 Y=2 sudo -u root nice -n 5 env Z=3 a b", ["a b"]),
        ("timeout -k 5 60 a", ["a"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("for x in 1 2; do a; done", ["x in 1 2", "a"]),
        ("f() { a; }", ["a"]),
        ("x=$(a $(b) c) d", ["b", "a  c", " d"]),
        ("a `b c` d", ["b c", "a  d"]),
        ("a 2>&1 >b 3>>c &>d", ["a > 1 > b >> c > d"]),
        ("a \\\n  b", ["a b"]),
        ("sh -c 'a; b'", ["sh -c a; b", "a", "b"]),
        ("a 'unclosed", ["a unclosed"]),
        ('a "unclosed', ["a unclosed"]),
        (") } fi ;; & `", []),
    ],
)
def test_commands_are_found_as_a_shell_would(text, found):
    assert words(text) == found


def test_lines_conditions_and_the_background_are_told():
    text = "a\nb &&\\\n c\n( d\n e ) &\n{ f; } &\nif g\nthen h &\nfi\ni"
    told = {command.words[0]: command for command in commands(text)}
    assert {name: each.line for name, each in told.items()} == dict(
        zip("abcdefghi", (1, 2, 3, 4, 5, 6, 7, 8, 10), strict=True)
    )
    assert {name for name, each in told.items() if each.background} == {"d", "e", "f", "h"}
    assert {name for name, each in told.items() if each.conditional} == set("cdefgh")


@given(st.text("ab \n'\"\\`$(){};&|<>#=E", max_size=80))
def test_any_text_is_read_to_its_end(text):
    assert all(command.words for command in commands(text))


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        *(("", each, "") for each in ("(", "`", "{ ", "(a)&", "a ", "a $(b) ", "<<E\n", "(a;")),
        ("", "\\\n", ""),
        ("(", "a;", ")& "),
        ("( " * 50, "a;", ") & "),
        ("if a; then ", "a;", "fi & "),
    ],
)
def test_a_hostile_text_is_read_in_time_that_grows_with_its_length_alone(start, piece, end):
    def seconds(length):
        half = length // 2 if end else length
        text = start + piece * (half // len(piece)) + (end and end + end[1:] * (half // len(end)))
        begun = time.process_time()
        list(commands(text))
        return time.process_time() - begun

    seconds(1000)
    # Sixteen times the text: sixteen times as long, or 256 times if it were the square.
    assert min(seconds(32_000) for _ in range(3)) < 80 * max(seconds(2000), 0.0005)
