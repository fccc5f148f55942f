"""What is read of a builder's console: the markers with the nonce, whatever stands around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.userdata.images.console import TAIL_LINES, read_console
from awsbatch_operator.userdata.images.model import Verdict

NONCE = "7c1f0d9a4be25836"
MARK = f"awsbatch-image {NONCE}"
BOOT = (
    "[    0.000000] Linux version 6.1.102-111.182.amzn2023.x86_64\r\r\n"
    "[   11.20] cloud-init[1612]: Cloud-init v. 22.2.2 running 'modules:final'\r\r\n"
)


def read(text):
    return read_console(text, nonce=NONCE)


def test_a_build_that_went_well_is_ok_with_its_last_step():
    console = read(
        f"{BOOT}\r\n{MARK} STEP packages\r\nInstalled: htop\r\n\r\n{MARK} STEP leftovers\r\n"
        f"\r\n{MARK} OK\r\n[   99.1] EXT4-fs unmounted\r\n\r\n{MARK} OK\r\n"
    )
    assert console.verdict is Verdict.OK
    assert (console.step, console.exit_code, console.message) == ("leftovers", None, "")
    assert console.tail[-2:] == ("Installed: htop", "[   99.1] EXT4-fs unmounted")


def test_a_build_that_failed_tells_step_exit_code_and_last_words():
    console = read(
        f"{MARK} STEP packages\r\nError: Unable to find a match: htpo\r\n"
        f"{MARK} FAIL step=packages rc=1 Error: Unable to find a match: htpo\r\n" * 3
    )
    assert console.verdict is Verdict.FAILED
    assert (console.step, console.exit_code) == ("packages", 1)
    assert console.message == "Error: Unable to find a match: htpo"
    assert console.tail == ("Error: Unable to find a match: htpo",) * 3


def test_a_build_that_goes_on_has_a_step_and_no_verdict():
    console = read(f"{BOOT}{MARK} STEP network\r\n{MARK} STEP script:tune\r\n")
    assert (console.verdict, console.step) == (None, "script:tune")
    assert read("").verdict is None
    assert read(BOOT).step == ""


@pytest.mark.parametrize(
    "line",
    [
        "awsbatch-image OK",
        "awsbatch-image deadbeef OK",
        f"awsbatch-image {NONCE}x OK",
        f"awsbatch-image {NONCE[:-1]} OK",
        f"awsbatch-image  {NONCE} OK",
        f"Awsbatch-Image {NONCE} OK",
        f"{MARK} OKAY",
        f"{MARK} ok",
        f"{MARK}\nOK",
        "awsbatch-image deadbeef FAIL step=check rc=1 x",
    ],
)
def test_what_a_script_prints_without_the_nonce_is_a_line_like_any_other(line):
    console = read(f"{BOOT}{line}\r\n")
    assert console.verdict is None
    if NONCE not in line:
        assert console.tail[-1] == line


def test_without_a_nonce_nothing_counts():
    assert read_console("awsbatch-image  OK\n", nonce="").verdict is None


@pytest.mark.parametrize(
    "text",
    [
        f"[   12.345] cloud-init[1612]: {MARK} OK\r\n",
        f"{MARK} OK[   55.1] nvme nvme1: rescanning\r\n",
        f"\x1b[32mok\x1b[0m {MARK} \x1b[1mOK\x1b[0m\r\n",
        f"half a line{MARK} OK",
        f"{MARK} STEP lef[  5.1] audit: backlog\r\n{MARK} O[  9.9] x\r\nK\r\n{MARK} OK\r\n",
        f"{NONCE} OK\r\n{MARK} OK\r\n",
    ],
)
def test_noise_around_a_marker_does_not_hide_it(text):
    assert read(text).verdict is Verdict.OK


def test_a_failure_counts_over_ok_and_the_first_over_later_ones():
    console = read(
        f"{MARK} FAIL step=script:tune rc=3 disk full\n{MARK} OK\n"
        f"{MARK} FAIL step=script:tune rc=124 the time limit of 60 seconds is over\n"
    )
    assert (console.verdict, console.exit_code) == (Verdict.FAILED, 3)
    assert console.message == "disk full"


def test_of_a_failure_that_was_cut_the_whole_one_is_read():
    half = f"{MARK} FAIL step=pack[   9.1] audit: rate limit\n"
    assert read(half).verdict is Verdict.FAILED
    assert read(half).exit_code is None
    console = read(f"{half}{MARK} FAIL step=packages rc=14 no\n{MARK} FAIL step=packages rc=1")
    assert (console.step, console.exit_code) == ("packages", 14)
    still_written = read(f"{MARK} FAIL step=packages rc=1")
    assert (still_written.verdict, still_written.exit_code) == (Verdict.FAILED, 1)


def test_what_was_measured_is_the_last_whole_object():
    told = '{"rootGiB":111,"mounts":["/efs"],"kernel":"6.1 \\"x\\""}'
    console = read(
        f'{MARK} MEASURED {{"rootGiB":1}}\n{MARK} MEASURED {told}\n{MARK} MEASURED {{"ro'
    )
    assert console.measured == {"rootGiB": 111, "mounts": ["/efs"], "kernel": '6.1 "x"'}
    assert read(f"{MARK} MEASURED [1]\n{MARK} MEASURED nothing\n").measured == {}
    assert read(f"{MARK} MEASURED {'[' * 5000}\n").measured == {}
    assert read('awsbatch-image other MEASURED {"rootGiB":1}\n').measured == {}


def test_the_tail_has_the_last_lines_of_others_without_secrets_and_without_the_nonce():
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow\n" * 30 + "-----END RSA PRIVATE KEY-----\n"
    lines = "".join(f"line {number}\n" for number in range(40))
    console = read(f"{lines}{key}password=hunter2hunter2 {NONCE}\n{MARK} STEP check\n")
    assert len(console.tail) == TAIL_LINES
    assert console.tail[-1] == "password=*** ***"
    assert not any("MIIEow" in line or NONCE in line for line in console.tail)
    failed = read(f"{MARK} FAIL step=script:a rc=1 AWS_SECRET_ACCESS_KEY=abcdefghijk1234567890\n")
    assert "abcdefghijk" not in failed.message


def test_a_line_that_may_have_lost_its_beginning_is_left_out_of_the_tail_but_not_unread():
    filler = "x\n" * 40_000
    assert read(f"hunter2hunter2 of a password\n{filler}".removesuffix(filler)).tail
    cut = "EY=abcdefghijk1234567890\n" + "\n".join([""] * 70_000) + "last\n"
    assert read(cut).tail == ("last",)
    assert read(f"{MARK} OK\n" + "\n".join([""] * 70_000)).verdict is Verdict.OK


def test_a_line_without_end_is_shortened():
    console = read("y" * 200_000)
    assert all(len(line) <= 300 for line in console.tail)


@given(st.lists(st.sampled_from(
    [MARK, " ", "OK", "FAIL", "STEP", "step=", "rc=", "9" * 12, "MEASURED {", "}", "\r", "\n",
     "\x1b[", "\x00", "é", NONCE, "[  1.2] ", "=", '"']), max_size=40))  # fmt: skip
def test_any_text_is_read(pieces):
    console = read("".join(pieces))
    assert console.exit_code is None or console.verdict is Verdict.FAILED
    assert not any(NONCE in line for line in console.tail)
    assert NONCE not in console.message
