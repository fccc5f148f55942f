import pytest

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.engine.lease import (
    LeaseSettings,
    LeaseView,
    Standing,
    claim,
    evaluate,
    released,
    viewed,
)

NOW = Instant(1_800_000_000.25)


def lease(version="5", holder="them", duration=30):
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": duration,
        "acquireTime": "2027-01-15T07:00:00.000000Z",
        "renewTime": "2027-01-15T08:00:00.000000Z",
        "leaseTransitions": 3,
    }
    return {"metadata": {"resourceVersion": version}, "spec": spec}


def settings(**changes):
    return LeaseSettings(**{"namespace": "ops", "name": "leader", "identity": "me", **changes})


def seen(*, at, previous=None, **parts):
    return viewed(previous, lease(**parts), now=at, duration=30)


@pytest.mark.parametrize(
    ("duration", "call", "least"), [(25, 13.0, 26), (4, 2.5, 5), (0, 0.0, 0), (29, 14.5, 29)]
)
def test_a_lease_shorter_than_two_calls_is_refused_with_the_least_that_would_do(
    duration, call, least
):
    if duration and duration >= least:
        assert settings(duration_seconds=duration, call_seconds=call)
        return
    with pytest.raises(ValueError, match=f"Set the lease to {least} s or more"):
        settings(duration_seconds=duration, call_seconds=call)


def test_a_lease_that_nobody_ever_made_is_free():
    assert evaluate(None, "me", 100.0) == (Standing.FREE, 0.0)


def test_a_released_lease_is_free_at_once():
    assert evaluate(seen(at=100.0, holder=""), "me", 100.0) == (Standing.FREE, 0.0)


def test_a_lease_with_our_name_is_ours():
    assert evaluate(seen(at=100.0, holder="me"), "me", 900.0)[0] is Standing.OURS


def test_a_foreign_lease_runs_out_when_it_was_seen_unchanged_for_as_long_as_it_lasts():
    view = seen(at=100.0)
    assert evaluate(view, "me", 129.0) == (Standing.THEIRS, 1.0)
    assert evaluate(view, "me", 130.0) == (Standing.FREE, 0.0)


def test_a_foreign_lease_is_never_judged_by_the_times_that_stand_in_it():
    """Its renewTime is years ago by our wall clock, but we have only just seen it."""
    assert evaluate(seen(at=5.0), "me", 6.0)[0] is Standing.THEIRS


def test_every_renewal_starts_the_waiting_anew_even_if_it_shows_the_same_times():
    first = seen(at=100.0, version="5")
    again = seen(at=120.0, version="5", previous=first)
    renewed = seen(at=125.0, version="6", previous=again)
    assert again.since == 100.0
    assert evaluate(renewed, "me", 154.0)[0] is Standing.THEIRS


def test_the_holders_own_duration_counts_not_ours():
    view = seen(at=100.0, duration=60)
    assert evaluate(view, "me", 150.0) == (Standing.THEIRS, 10.0)
    assert seen(at=1.0, duration=None).duration == 30


def test_a_lease_that_was_deleted_under_its_holder_is_waited_for_all_the_same():
    """A person deleted it; its holder will not know before it renews."""
    gone = viewed(seen(at=100.0), None, now=110.0, duration=30)
    assert gone is not None
    assert not gone.present
    assert evaluate(gone, "me", 120.0)[0] is Standing.THEIRS
    assert evaluate(gone, "me", 130.0)[0] is Standing.FREE
    assert viewed(None, None, now=1.0, duration=30) is None


def test_a_first_claim_begins_the_count_of_transitions():
    assert claim(None, settings(), NOW) == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 30,
        "acquireTime": "2027-01-15T08:00:00.250000Z",
        "renewTime": "2027-01-15T08:00:00.250000Z",
        "leaseTransitions": 0,
    }


def test_taking_over_counts_a_transition_and_renewing_does_not():
    taken = claim(seen(at=1.0), settings(), NOW)
    assert (taken["leaseTransitions"], taken["acquireTime"]) == (4, NOW.rfc3339_micro())
    renewed = claim(seen(at=1.0, holder="me"), settings(), NOW)
    assert (renewed["leaseTransitions"], renewed["acquireTime"]) == (
        3,
        "2027-01-15T07:00:00.000000Z",
    )
    assert renewed["renewTime"] == NOW.rfc3339_micro()


def test_a_released_lease_names_nobody():
    spec = released(lease(holder="me"), NOW)
    assert spec["holderIdentity"] == ""
    assert evaluate(
        LeaseView("", 30.0, "6", since=0.0, transitions=3, acquired=None), "other", 0.0
    ) == (Standing.FREE, 0.0)
