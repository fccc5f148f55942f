"""The number of objects by kind and condition is right after any changes, and costs no scan."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.tally import OTHER, Tally

KINDS, NAMES = ("JobQueue", "BatchJob"), ("a", "b", "c")
TYPES, REASONS = ("Ready", "Stalled", "Complete"), ("Ready", "InvalidSpec", "Succeeded")


def condition(kind, status="True", reason="Ready"):
    return {"type": kind, "status": status, "reason": reason, "message": "m"}


def counted(*, settled=lambda _: False):
    cache = Cache(clock=SteppedClock(), settled=settled)
    tally = Tally(conditions=TYPES, reasons=REASONS)
    cache.listen(tally.absorb)
    return cache, tally


def by_scan(cache):
    """What a scan of all objects would count."""
    found: Counter[tuple[str, ...]] = Counter()
    for kind in KINDS:
        for resource in cache.of_kind(kind):
            for each in resource.status.get("conditions") or [condition("", "", "")]:
                found[kind, each["type"], each["status"], each["reason"]] += 1
    return dict(found)


lists_of_conditions = st.lists(
    st.builds(
        condition,
        st.sampled_from(TYPES),
        st.sampled_from(["True", "False"]),
        st.sampled_from(REASONS),
    ),
    max_size=3,
    unique_by=lambda each: each["type"],
)
keys = st.builds(ObjectKey, st.sampled_from(KINDS), st.just("science"), st.sampled_from(NAMES))
changes = st.lists(
    st.tuples(keys, st.sampled_from(["u1", "u2"]), st.none() | lists_of_conditions), max_size=25
)


@given(changes)
def test_it_counts_what_a_scan_would_count(events):
    """Made, changed, seen again, made anew under one name, gone, and gone though never seen."""
    cache, tally = counted()
    for number, (key, uid, conditions) in enumerate(events, start=1):
        if conditions is None:
            cache.drop(key, uid)
        else:
            unique = f"{key.kind}-{key.name}-{uid}"
            status = {"conditions": conditions}
            cache.put(body(key, version=number, uid=unique, status=status), own=number % 2 == 0)
        assert dict(tally.counts()) == by_scan(cache)


def test_finished_objects_count_although_the_cache_holds_little_of_them():
    cache, tally = counted(settled=lambda _: True)
    done = {"conditions": [condition("Complete", reason="Succeeded")]}
    for number in (1, 2):
        cache.put(body(ObjectKey("BatchJob", "science", f"j{number}"), version=number, status=done))
    assert dict(tally.counts()) == {("BatchJob", "Complete", "True", "Succeeded"): 2}


def test_words_that_are_not_ours_make_no_labels():
    """Whoever may write a status would else have the metrics grow without end."""
    cache, tally = counted()
    for number in range(1, 50):
        odd = condition(f"Mine{number}", f"Maybe{number}", f"Because{number}")
        key = ObjectKey("JobQueue", "science", f"q{number}")
        cache.put(body(key, version=number, uid=f"u{number}", status={"conditions": [odd]}))
    assert dict(tally.counts()) == {("JobQueue", OTHER, OTHER, OTHER): 49}
