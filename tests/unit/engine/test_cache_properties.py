"""The cache ends with the same objects, in whatever order news reaches it."""

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import SteppedClock
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache

KEYS = [ObjectKey("BatchJob", "science", name) for name in "ab"]


@st.composite
def histories(draw):
    """What really happened, as news: (key, uid, version, gone). Versions grow over all objects."""
    version, uids = 0, 0
    alive: dict[ObjectKey, str] = {}
    news = []
    for key, act in draw(
        st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["edit", "edit", "gone"])))
    ):
        version += 1
        if act == "gone" and key in alive:
            news.append((key, alive.pop(key), version, True))
            continue
        if key not in alive:
            uids += 1
            alive[key] = f"uid-{uids}"
        news.append((key, alive[key], version, False))
    return news, alive


@given(histories(), st.data())
def test_news_in_any_order_and_repeated_leaves_the_newest_state(history, data):
    news, alive = history
    order = data.draw(st.permutations(news + data.draw(st.lists(st.sampled_from(news or [None])))))
    cache = Cache(clock=SteppedClock())
    for key, uid, version, gone in filter(None, order):
        if gone:
            cache.drop(key, uid)
        else:
            cache.put(body(key, version=version, uid=uid), own=data.draw(st.booleans()))
    assert {key: cache.held(key).uid for key in cache.keys("BatchJob")} == alive
    for key in alive:
        newest = max(version for k, _, version, gone in news if k == key and not gone)
        assert cache.version(key) == newest


@given(histories())
def test_every_reported_version_is_newer_than_the_one_before(history):
    news, _ = history
    cache = Cache(clock=SteppedClock())
    versions = []
    cache.listen(lambda change: versions.append((change.key, change.uid, change.version)))
    for key, uid, version, gone in [*news, *news]:
        if not gone:
            cache.put(body(key, version=version, uid=uid))
    for key in KEYS:
        seen = [version for k, _, version in versions if k == key]
        assert seen == sorted(set(seen))
