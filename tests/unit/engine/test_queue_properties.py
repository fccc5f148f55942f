from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.clock import SteppedClock

from awsbatch_operator.engine.queue import ROUND, Priority, WorkQueue

KEYS = st.sampled_from("abcd")


class QueueMachine(RuleBasedStateMachine):
    """Any interleaving of adds, workers and time, against what a queue has to promise.

    `unseen` are the keys that have been added and not taken since: each is owed a turn.
    """

    def __init__(self):
        super().__init__()
        self.clock = SteppedClock()
        self.lanes: dict[str, Priority] = {}
        self.accounts: dict[str, str] = {}
        self.queue = WorkQueue[str](
            clock=self.clock,
            random=Random(3),
            lane=lambda key: self.lanes.get(key, Priority.REST),
            account=lambda key: self.accounts.get(key, ""),
            takers=3,
        )
        self.running = []
        self.unseen = set()
        self.due = {}

    @rule(key=KEYS, lane=st.sampled_from(Priority), account=st.sampled_from("xyz"))
    def add(self, key, lane, account):
        self.lanes[key], self.accounts[key] = lane, account
        self.queue.add(key)
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
            waiting = self.unseen - set(self.running)
            assert not waiting or self.running, "a key that was added is never taken"
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


QueueMachine.TestCase.settings = settings(stateful_step_count=40)
TestQueue = QueueMachine.TestCase


MIXES = st.dictionaries(
    st.tuples(st.sampled_from("xyz"), st.sampled_from(Priority)),
    st.integers(1, 30),
    min_size=1,
)


def busy(mix, *, takers=None):
    """A queue in which that many keys wait of each account and lane: (account, lane, number)."""
    queue = WorkQueue[tuple](
        clock=SteppedClock(),
        random=Random(3),
        lane=lambda key: key[1],
        account=lambda key: key[0],
        takers=takers,
    )
    for (account, lane), number in mix.items():
        for each in range(number):
            queue.add((account, lane, each))
    return queue


@given(mix=MIXES, refill=st.booleans())
def test_every_lane_of_every_account_is_served_within_one_round_of_the_accounts(mix, refill):
    """Whatever the others hold, and however fast they are filled again."""
    queue = busy(mix)
    bound = len(ROUND) * len({account for account, _ in mix})
    unserved = dict.fromkeys(mix, 0)
    for _ in range(5 * bound):
        key = queue.take_now()
        if key is None:
            break
        queue.done(key)
        if refill:
            queue.add(key)
        unserved = {place: takes + 1 for place, takes in unserved.items()}
        unserved[key[:2]] = 0
        waiting = {each[:2] for each in queue._waiting._where}
        assert all(takes < bound for place, takes in unserved.items() if place in waiting)


@given(mix=MIXES)
def test_accounts_that_all_have_work_are_served_equally_often(mix):
    queue = busy(mix)
    accounts = {account for account, _ in mix}
    served: Counter[object] = Counter()
    for _ in range(60):
        key = queue.take_now()
        queue.done(key)
        queue.add(key)
        served[key[0]] += 1
    assert max(served.values()) - min(served[account] for account in accounts) <= 1


@given(mix=MIXES)
def test_lanes_that_all_have_work_get_four_two_and_one_part(mix):
    queue = busy({("x", lane): 30 for lane in Priority} | mix)
    served: Counter[object] = Counter()
    while served["x"] < 70:
        key = queue.take_now()
        queue.done(key)
        queue.add(key)
        served[key[0]] += 1
        served[key[:2]] += 1
    assert [served["x", lane] for lane in Priority] == [40, 20, 10]


@given(mix=MIXES, seconds=st.integers(1, 60), lane=st.sampled_from(Priority))
def test_a_requeued_key_keeps_its_lane_and_its_account(mix, seconds, lane):
    queue = busy({})
    again = ("again", lane, 0)
    queue.add(again)
    queue.take_now()
    queue.add_after(again, seconds)
    queue.done(again)
    queue._clock.skip(seconds)
    queue.release_due()
    assert queue._waiting._where == {again: ("again", lane)}


@given(
    workers=st.integers(2, 40),
    hanging=st.lists(st.sampled_from("xyz"), max_size=60),
)
def test_accounts_whose_calls_hang_leave_a_worker_to_one_that_holds_none(workers, hanging):
    """Whatever was taken before the last account had any work; with few workers, of two."""
    queue = busy({}, takers=workers)
    accounts = "x" if workers < 12 else "xyz"
    for number, account in enumerate(hanging):
        queue.add((account if account in accounts else "x", Priority.DELETION, number))
        if len(queue._running) < workers:
            queue.take_now()
    assert len(queue._running) < workers
    queue.add(("waits", Priority.REST, 0))
    assert queue.take_now()[0] == "waits"


@given(mix=MIXES, workers=st.integers(1, 40), seed=st.randoms(use_true_random=False))
def test_a_worker_that_ends_and_one_that_is_woken_keep_the_workers_busy(mix, workers, seed):
    """Nothing stays behind: as long as a key waits, somebody works, and all come out."""
    queue = busy(mix, takers=workers)
    left = sum(mix.values())
    running: list[tuple] = []
    while left:
        while len(running) < workers and (key := queue.take_now()) is not None:
            running.append(key)
        assert running
        queue.done(running.pop(seed.randrange(len(running))))
        left -= 1
    assert queue.take_now() is None
