from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.clock import SteppedClock

from awsbatch_operator.engine.queue import Priority, WorkQueue

KEYS = st.sampled_from("abcd")


class QueueMachine(RuleBasedStateMachine):
    """Any interleaving of adds, workers and time, against what a queue has to promise.

    `unseen` are the keys that have been added and not taken since: each is owed a turn.
    """

    def __init__(self):
        super().__init__()
        self.clock = SteppedClock()
        self.queue = WorkQueue[str](clock=self.clock, random=Random(3))
        self.running = []
        self.unseen = set()
        self.due = {}

    @rule(key=KEYS, priority=st.sampled_from(Priority))
    def add(self, key, priority):
        self.queue.add(key, priority)
        self.unseen.add(key)

    @rule(key=KEYS, seconds=st.integers(1, 50))
    def add_after(self, key, seconds):
        self.queue.add_after(key, seconds)
        when = self.clock.monotonic() + seconds
        self.due[key] = min(self.due.get(key, when), when)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds):
        self.clock.skip(seconds)
        self.queue.release_due()
        now = self.clock.monotonic()
        for key in [key for key, when in self.due.items() if when <= now]:
            del self.due[key]
            self.unseen.add(key)

    @rule()
    def take(self):
        key = self.queue.take_now()
        if key is None:
            assert self.unseen <= set(self.running), "a key that was added is never taken"
            return
        assert key not in self.running, "two workers have the same key"
        assert key in self.unseen, "a key is taken that nobody added"
        self.running.append(key)
        self.unseen.discard(key)
        self.due.pop(key, None)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def done(self, data):
        key = data.draw(st.sampled_from(self.running))
        self.running.remove(key)
        self.queue.done(key)

    @rule(key=KEYS)
    def forget(self, key):
        self.queue.forget(key)
        self.due.pop(key, None)

    @invariant()
    def counts_agree(self):
        assert self.queue.depth == len(self.unseen - set(self.running))
        assert self.queue.idle == (not self.running and not self.unseen)

    def teardown(self):
        """Whatever happened, everything that is owed comes out in the end."""
        for key in self.running:
            self.queue.done(key)
        owed = set(self.unseen)
        while (key := self.queue.take_now()) is not None:
            self.queue.done(key)
            owed.discard(key)
        assert not owed


QueueMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueue = QueueMachine.TestCase
