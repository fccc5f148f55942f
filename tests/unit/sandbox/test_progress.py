import io

import pytest

from awsbatch_sandbox.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Watch:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


def test_a_log_gets_a_line_now_and_then(watch):
    stream = io.StringIO()
    progress = Progress(stream, clock=watch)
    for second in range(61):
        watch.now = second
        progress.live(f"{second} s")
    assert stream.getvalue() == "15 s\n30 s\n45 s\n60 s\n"


def test_a_terminal_gets_one_line_that_changes_and_goes(watch):
    stream = Terminal()
    progress = Progress(stream, clock=watch)
    for second in (1, 2):
        watch.now = second
        progress.live(f"{second} s")
    progress.say("done")
    assert stream.getvalue() == "1 s\r\x1b[K2 s\r\x1b[Kdone\n"


def test_durations_are_said_as_people_say_them():
    assert duration(7.6) == "8 s"
    assert duration(185) == "3 min 5 s"
    assert duration(59.7) == "1 min 0 s"
