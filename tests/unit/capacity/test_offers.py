"""What EC2's errors mean, and how long an offer that is short is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import NOW, offers, pool

from awsbatch_operator.capacity.faults import INTERRUPTED, Extent, classify, quota_message
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.offers import (
    ANY_ZONE,
    Key,
    Pause,
    Pauses,
    after_fault,
    after_success,
    buyable,
    from_status,
    is_paused,
    next_end,
    pruned,
    quota_group,
    to_status,
)

SHORT = classify("InsufficientInstanceCapacity", "We have no sufficient capacity.")
HERE, THERE, *_ = offers(pool())


@pytest.mark.parametrize(
    ("code", "message", "extent", "field"),
    [
        ("InsufficientInstanceCapacity", "", Extent.OFFER, ""),
        ("UnfulfillableCapacity", "", Extent.OFFER, ""),
        ("Unsupported", "Not supported in your requested zone.", Extent.OFFER, ""),
        ("SpotMaxPriceTooLow", "", Extent.OFFER, ""),
        ("ReservationCapacityExceeded", "", Extent.OFFER, ""),
        ("VcpuLimitExceeded", "current vCPU limit of 32 allows", Extent.QUOTA, ""),
        ("MaxSpotInstanceCountExceeded", "", Extent.QUOTA, ""),
        ("InsufficientFreeAddressesInSubnet", "", Extent.POOL, "subnets"),
        ("InvalidSubnetID.NotFound", "", Extent.POOL, "subnets"),
        ("InvalidGroup.NotFound", "", Extent.POOL, "securityGroupIds"),
        ("InvalidAMIID.NotFound", "", Extent.POOL, "image"),
        ("InvalidAMIID.Unavailable", "", Extent.POOL, "image"),
        ("InvalidKeyPair.NotFound", "", Extent.POOL, "keyName"),
        ("InvalidBlockDeviceMapping", "", Extent.POOL, "blockDeviceMappings"),
        ("InvalidPlacementGroup.Unknown", "", Extent.POOL, "placement.groupName"),
        ("InvalidIamInstanceProfileArn.Malformed", "", Extent.POOL, "instanceProfile"),
        ("InvalidParameterValue", "Invalid instance profile", Extent.POOL, "instanceProfile"),
        ("InvalidParameterValue", "BlockDurationMinutes is not valid", Extent.POOL, "spotBlock"),
        ("UnauthorizedOperation", "you lack iam:PassRole", Extent.POOL, "instanceProfile"),
        ("UnauthorizedOperation", "You may not launch this image", Extent.POOL, ""),
        ("AuthFailure.ServiceLinkedRoleCreationNotPermitted", "", Extent.POOL, "market"),
        ("SomethingNew", "What is it?", Extent.POOL, ""),
        ("RequestLimitExceeded", "", Extent.THROTTLED, ""),
        ("IdempotentParameterMismatch", "", Extent.TOKEN, ""),
        ("IdempotentInstanceTerminated", "", Extent.TOKEN, ""),
        ("InvalidLaunchTemplateId.NotFound", "", Extent.TEMPLATE, ""),
        ("InternalError", "", Extent.UNKNOWN, ""),
        ("", "timed out", Extent.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_an_error_of_a_launch_says_how_far_it_reaches_and_what_mends_it(
    code, message, extent, field
):
    fault = classify(code, message)
    assert (fault.extent, fault.field) == (extent, field)
    assert bool(fault.remedy) == (extent in {Extent.POOL, Extent.QUOTA})
    assert fault.message.endswith(".") or fault.message.endswith("?")


def test_a_quota_tells_used_and_limit():
    said = "VcpuLimitExceeded: than your current vCPU limit of 32 allows for"
    text = quota_message(said, group="OnDemand Standard", used=30, held=16)
    assert "allows no further one of 16 vCPUs or more; this environment" in text
    assert "quota of 32 vCPUs for OnDemand Standard instances" in text
    assert "uses 30 vCPUs of it" in text
    assert "quota for Spot P" in quota_message("Max spot", group="Spot P", used=0, held=0)


def test_the_id_of_a_request_does_not_make_each_message_another():
    one = classify("Unsupported", "No. (Request ID: 5d4c1a1e-0000-4000-8000-000000000001)")
    other = classify("Unsupported", "No. (Request ID: 5d4c1a1e-0000-4000-8000-000000000002)")
    assert one == other


def test_a_short_offer_is_left_alone_for_1_2_4_minutes_and_at_most_an_hour():
    pauses: Pauses = {}
    now, waits = NOW, []
    for _ in range(9):
        pauses = after_fault(pauses, HERE, SHORT, now)
        end = next_end(pauses, [HERE], now)
        assert end is not None
        waits.append(end.since(now) / 60)
        now = end
        assert not is_paused(pauses, HERE, now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert buyable(after_fault({}, HERE, SHORT, NOW), [HERE, THERE], NOW) == (THERE,)


def test_several_errors_of_one_answer_count_once():
    once = after_fault({}, HERE, SHORT, NOW)
    assert after_fault(once, HERE, SHORT, NOW.plus(1)) == once


def test_an_interruption_pauses_the_offer():
    assert buyable(after_fault({}, HERE, INTERRUPTED, NOW), [HERE, THERE], NOW) == (THERE,)


def test_success_and_a_long_time_begin_anew():
    twice = after_fault(after_fault({}, HERE, SHORT, NOW), HERE, SHORT, NOW.plus(61))
    assert after_success(twice, HERE) == {}
    late = NOW.plus(61 + 120 + 3601)
    again = after_fault(twice, HERE, SHORT, late)
    assert next_end(again, [HERE], late) == late.plus(60)
    assert pruned(twice, late) == {}
    assert pruned(twice, NOW.plus(500)) == twice


def test_a_quota_pauses_what_shares_it_on_that_market_and_is_as_large_and_nothing_else():
    fault = classify("VcpuLimitExceeded")
    mine = offers(pool(), pool("spot", market=Market.SPOT))
    refused = next(each for each in mine if each.instance_type == "r7i.xlarge")
    pauses = after_fault({}, refused, fault, NOW)
    left = {(each.market, each.instance_type) for each in buyable(pauses, mine, NOW)}
    on_demand = {name for market, name in left if market is Market.ON_DEMAND}
    assert on_demand == {"r7i.large", "g5.xlarge"}
    assert {name for market, name in left if market is Market.SPOT} >= {"r7i.4xlarge"}
    smaller = after_fault(pauses, HERE, fault, NOW.plus(1))
    left = {(each.market, each.instance_type) for each in buyable(smaller, mine, NOW)}
    assert {name for market, name in left if market is Market.ON_DEMAND} == {"g5.xlarge"}
    # What is smaller may be had meanwhile, which says nothing of what is larger.
    assert after_success(pauses, HERE) == pauses
    assert after_success(pauses, refused) == {}
    assert from_status(to_status(pauses)) == pauses


def test_an_error_that_speaks_of_no_offer_pauses_none_except_a_full_subnet():
    for code in ("InvalidAMIID.NotFound", "RequestLimitExceeded", "InternalError"):
        assert after_fault({}, HERE, classify(code), NOW) == {}
    full = after_fault({}, HERE, classify("InsufficientFreeAddressesInSubnet"), NOW)
    assert buyable(full, [HERE, THERE], NOW) == (THERE,)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("r7i.large", "Standard"), ("t3.micro", "Standard"), ("g5.xlarge", "G and VT"),
        ("vt1.3xlarge", "G and VT"), ("p5.48xlarge", "P"), ("x2gd.large", "X"), ("f1.2xlarge", "F"),
        ("inf2.xlarge", "Inf"), ("trn1.2xlarge", "Trn"), ("u-6tb1.metal", "HighMemory"),
        ("hpc7a.12xlarge", "HPC"), ("dl1.24xlarge", "DL"), ("gr6.4xlarge", "G and VT"),
        ("im4gn.large", "Standard"), ("i4i.large", "Standard"), ("mac2.metal", "Standard"),
    ],
)  # fmt: skip
def test_types_share_quotas_by_group(name, group):
    assert quota_group(name) == group


@given(
    st.dictionaries(
        st.builds(
            Key,
            st.sampled_from(list(Market)),
            st.sampled_from(["r7i.large", "u-6tb1.metal"]),
            st.sampled_from(["eu-central-1a", "us-west-2-lax-1b"]),
        )
        | st.builds(
            Key,
            st.sampled_from(list(Market)),
            st.sampled_from(["Standard", "G and VT"]),
            st.just(ANY_ZONE),
        ),
        st.builds(
            Pause,
            st.integers(0, 2_000_000_000).map(lambda at: NOW.plus(at - NOW.epoch)),
            st.integers(1, 9),
            st.sampled_from(["", "Short: No room.", "é"]),
        ),
    )
)
def test_pauses_come_back_from_the_status_as_they_were(pauses):
    assert from_status(to_status(pauses)) == pauses


def test_a_damaged_row_of_the_status_is_left_out():
    rows = [{}, {"offer": "Nowhere x", "until": "2026-01-01T00:00:00Z"}, {"offer": "Spot m.x a"}]
    assert from_status(rows) == {}
