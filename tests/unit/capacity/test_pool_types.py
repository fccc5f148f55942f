"""Which types a pool may launch, and what is told of those that it may not."""

import pytest
from tests.unit.capacity.pool_values import by_name, described, pool, wanted

from awsbatch_operator.capacity.model import Market, Requirements, SpotBlock
from awsbatch_operator.capacity.pool_types import matching, narrowed, spread, usable

M6I, R6I = described("m6i.large"), described("r6i.large", gib=16)
M6G = described("m6g.large", architecture="arm64", threads=1)
G5 = described("g5.xlarge", 4, 16, gpus=1)
MAC = described("mac2.metal", 8, 16, architecture="arm64_mac", threads=1)
METAL = described("m6i.metal", 128, 512, BareMetal=True)
OLD = described("m4.large", CurrentGeneration=False)
TRN = described("trn1.2xlarge", 8, 32)
ALL = by_name(M6I, R6I, M6G, G5, MAC, METAL, OLD, TRN)


def named(*names, **fields):
    return pool(instance_types=names, **fields)


def fields_of(found):
    return [problem.path.removeprefix("spec.capacity.pools[name=main].") for problem in found.wrong]


def test_listed_types_are_read_with_what_the_agent_keeps_back_and_what_ecs_has_registered():
    mine = named("m6i.large", "r6i.large", threads_per_core=1)
    seen = {"r6i.large": 15_000}
    found = usable(wanted(mine, seen_mib=seen, reserved_mib=100), by_name(M6I, R6I))
    plain = usable(wanted(mine, reserved_mib=0), by_name(M6I, R6I)).usable["m6i.large"]
    assert found.usable["m6i.large"].registered_mib == plain.registered_mib - 100
    assert found.usable["r6i.large"].registered_mib == 15_000
    assert {each.registered_cpu for each in found.usable.values()} == {1024}
    assert (found.architectures, found.gpu, found.wrong) == (("x86_64",), False, ())
    assert usable(wanted(named("g5.xlarge")), by_name(G5)).gpu


@pytest.mark.parametrize(
    ("mine", "more", "field", "word"),
    [
        (named("m6i.large", "x"), {}, "instanceTypes", "x is not among"),
        (named("m6i.large", "mac2.metal"), {}, "instanceTypes", "mac2.metal runs no Linux"),
        (
            named("m6i.large", "m6g.large"),
            {"architecture": "x86_64"},
            "instanceTypes",
            "m6g.large cannot start an image for x86_64",
        ),
        (
            named("m6i.large", "m6g.large", threads_per_core=2),
            {},
            "cpuOptions",
            "m6g.large cannot run with threadsPerCore 2",
        ),
    ],
)
def test_a_listed_type_that_can_never_be_launched_is_told_and_the_others_serve(
    mine, more, field, word
):
    found = usable(wanted(mine, **more), {**ALL, "m6i.large": M6I})
    assert set(found.usable) == {"m6i.large"}
    assert fields_of(found) == [field]
    assert word in found.wrong[0].text()


def test_types_that_have_the_same_fault_are_told_together():
    found = usable(wanted(named("a.large", "b.large")), {})
    [problem] = found.wrong
    assert "a.large, b.large is not among" in problem.text()


def test_a_type_is_sold_on_the_market_of_the_pool():
    hpc = described("hpc6a.48xlarge", SupportedUsageClasses=["on-demand"])
    only_blocks = described("p6.48xlarge", SupportedUsageClasses=["capacity-block"])
    types, names = by_name(hpc, only_blocks), ("hpc6a.48xlarge", "p6.48xlarge")
    block = SpotBlock(duration_seconds=60, instance_count=1)
    for market, more, able in (
        (Market.SPOT, {}, set()),
        (Market.ON_DEMAND, {}, {"hpc6a.48xlarge"}),
        (Market.SPOT_BLOCK, {"spot_block": block}, {"hpc6a.48xlarge"}),
    ):
        found = usable(wanted(named(*names, market=market, **more)), types)
        assert (set(found.usable), found.spot) == (able, frozenset())


# --- requirements ---


def matched(requirements, types=ALL):
    return set(matching(requirements, types).found)


def test_requirements_match_no_bare_metal_earlier_generations_or_accelerators():
    assert matched(Requirements(vcpus=(2, 128))) == {"m6i.large", "r6i.large", "m6g.large"}
    assert matched(Requirements(vcpus=(2, 128), gpus=1)) == {"g5.xlarge"}
    assert matched(Requirements(vcpus=(2, None), architecture="arm64")) == {"m6g.large"}


def test_requirements_match_those_when_there_is_nothing_else_or_their_family_is_named():
    assert matched(Requirements(vcpus=(100, None))) == {"m6i.metal"}
    assert matched(Requirements(vcpus=(8, 8))) == {"trn1.2xlarge"}
    assert matched(Requirements(families=("m4", "trn1"))) == {"m4.large", "trn1.2xlarge"}


def test_of_requirements_that_nothing_meets_the_nearest_type_is_named():
    for requirements, nearest in (
        (Requirements(vcpus=(3, 3), memory_mib=(17_000, None)), "r6i.large (2 vCPUs, 16384 MiB"),
        (Requirements(vcpus=(2, 2), gpus=1), "g5.xlarge (4 vCPUs, 16384 MiB, 1 GPUs, x86_64)"),
        (Requirements(vcpus=(64, 96), families=("r6i",)), "r6i.large"),
        (Requirements(vcpus=(4, 4), architecture="arm64"), "m6g.large (2 vCPUs, 8192 MiB, arm64)"),
    ):
        found = matching(requirements, by_name(M6I, R6I, M6G, G5))
        assert not found.found
        assert found.nearest.startswith(nearest), requirements
    assert matching(Requirements(vcpus=(1, 1)), {}).nearest == ""


def test_requirements_leave_out_what_cannot_be_launched_and_tell_it_if_that_is_everything():
    mine = pool(requirements=Requirements(vcpus=(2, 2)))
    found = usable(wanted(mine, architecture="arm64"), by_name(M6I, R6I, M6G))
    assert (set(found.usable), found.wrong) == ({"m6g.large"}, ())
    none = usable(wanted(mine, architecture="arm64"), by_name(M6I, R6I))
    assert (none.usable, fields_of(none)) == ({}, ["instanceRequirements"])
    assert "matches m6i.large, r6i.large, and none of them can be launched" in none.wrong[0].text()


def test_of_more_types_than_a_launch_takes_some_of_each_size_are_kept_the_newest_first():
    bodies = [
        described(f"{family}{generation}.{size}", vcpus, vcpus * gib)
        for family, gib in (("c", 2), ("m", 4), ("r", 8))
        for generation in range(4, 9)
        for size, vcpus in (("large", 2), ("xlarge", 4), ("4xlarge", 16))
    ]
    types = usable(wanted(pool(requirements=Requirements(vcpus=(2, 16)))), by_name(*bodies)).usable
    kept = spread(types, 18)
    assert len(kept) == 18
    sizes = [(each.vcpus, each.memory_mib) for each in kept.values()]
    assert {size: sizes.count(size) for size in sizes} == dict.fromkeys(sizes, 2)
    assert {name[1] for name in kept} == {"8", "7"}
    assert spread(types, 100) == types
    assert spread(dict(reversed(list(types.items()))), 18).keys() == kept.keys()


def test_types_that_no_subnets_zone_offers_take_no_place_of_others():
    bodies = [described(f"m{number}.large") for number in range(100)]
    found = usable(wanted(pool(requirements=Requirements(vcpus=(2, 2)))), by_name(*bodies))
    zones = {name: frozenset("a" if name == "m5.large" else "b") for name in found.usable}
    kept, matching_types = narrowed(found, zones, ["a"])
    assert (set(kept.usable), matching_types) == ({"m5.large"}, 1)
    everywhere, count = narrowed(found, zones, [])
    assert (len(everywhere.usable), count) == (60, 100)
