"""Reading spec.capacity and instance types, and which modules are held to values."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.capacity.values import itype

from awsbatch_operator import capacity
from awsbatch_operator.capacity.model import (
    DEFAULT_LADDER,
    BlockStart,
    InstanceType,
    Limits,
    Market,
    OnRebalance,
    Pool,
    Renew,
    ReplacePolicy,
    Requirements,
    Rung,
    SpotBlock,
    Wish,
    registered_mib,
)
from awsbatch_operator.capacity.wish import wish

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_left_out_of_the_spec_has_the_defaults_of_the_api():
    read = wish({"limits": {"maxvCpus": 8}, "pools": [{"name": "main", "market": "OnDemand"}]})
    assert read == Wish(
        limits=Limits(max_vcpus=8),
        overflow_seconds=120,
        pools=(
            Pool(
                name="main",
                market=Market.ON_DEMAND,
                priority=1,
                min_instances=0,
                max_instances=None,
                idle_seconds=300,
                registration_timeout_seconds=600,
                drain_timeout_seconds=120,
                on_rebalance=OnRebalance.IGNORE,
                replace_policy=ReplacePolicy.WHEN_IDLE,
            ),
        ),
    )


FULL = {
    "name": "main",
    "priority": 3,
    "market": "Spot",
    "instanceRequirements": {
        "vCPUs": {"min": 2, "max": 8},
        "memoryMiB": {"min": 4096},
        "architecture": "arm64",
        "acceleratorCount": 1,
        "families": ["r7g"],
    },
    "maxPricePerHour": "0.10",
    "minInstances": 1,
    "maxInstances": 16,
    "idleSeconds": 0,
    "registrationTimeoutSeconds": 700,
    "drainTimeoutSeconds": 0,
    "onRebalance": "Replace",
    "replacePolicy": "Never",
    "cpuOptions": {"threadsPerCore": 1},
}


def test_every_field_of_a_pool_is_read():
    limits = {"maxvCpus": 512, "maxInstances": 64, "maxHourlyCost": "12.50"}
    read = wish({"limits": limits, "overflowSeconds": 5, "pools": [FULL]})
    assert read.limits == Limits(max_vcpus=512, max_instances=64, max_hourly_cost=Decimal("12.50"))
    assert read.overflow_seconds == 5
    assert read.pools == (
        Pool(
            name="main",
            priority=3,
            market=Market.SPOT,
            requirements=Requirements(
                vcpus=(2, 8),
                memory_mib=(4096, None),
                architecture="arm64",
                gpus=1,
                families=("r7g",),
            ),
            max_price_per_hour=Decimal("0.10"),
            min_instances=1,
            max_instances=16,
            idle_seconds=0,
            registration_timeout_seconds=700,
            drain_timeout_seconds=0,
            on_rebalance=OnRebalance.REPLACE,
            replace_policy=ReplacePolicy.NEVER,
            threads_per_core=1,
        ),
    )


def test_a_block_replaces_the_numbers_of_instances_and_knows_the_old_field():
    block = {"blockDurationMinutes": 240, "instanceCount": 4, "fallback": ["Spot"]}
    (pool,) = wish({"pools": [{"name": "b", "market": "SpotBlock", "spotBlock": block}]}).pools
    assert pool.spot_block == SpotBlock(
        duration_seconds=14400, instance_count=4, fallback=(Rung.SPOT,)
    )
    assert (pool.min_instances, pool.max_instances) == (0, 4)
    block = {"durationSeconds": 60, "instanceCount": 1, "request": 2, "releaseWhenIdle": True}
    block |= {"start": "Immediately", "renew": "WhileDemand"}
    (pool,) = wish({"pools": [{"name": "b", "market": "SpotBlock", "spotBlock": block}]}).pools
    assert pool.spot_block == SpotBlock(
        duration_seconds=60,
        instance_count=1,
        start=BlockStart.IMMEDIATELY,
        request=2,
        renew=Renew.WHILE_DEMAND,
        release_when_idle=True,
        fallback=DEFAULT_LADDER,
    )


def test_a_pool_takes_the_named_types_or_those_that_meet_its_requirements():
    small, large, gpu = (
        itype("r7i.large", 2, 16),
        itype("c7i.2xlarge", 8, 16),
        itype("g5.x", 4, 16, 1),
    )
    by_name = Pool(name="p", market=Market.SPOT, instance_types=("r7i.large",))
    assert [by_name.accepts(each) for each in (small, large, gpu)] == [True, False, False]
    for requirements, accepted in (
        (Requirements(), [True, True, False]),
        (Requirements(vcpus=(4, None)), [False, True, False]),
        (Requirements(families=("r7i",)), [True, False, False]),
        (Requirements(gpus=1), [False, False, True]),
        (Requirements(architecture="arm64"), [False, False, False]),
        (Requirements(memory_mib=(None, 8192)), [False, False, False]),
    ):
        pool = Pool(name="p", market=Market.SPOT, requirements=requirements)
        assert [pool.accepts(each) for each in (small, large, gpu)] == accepted
    assert not Pool(name="p", market=Market.SPOT).accepts(small)


@pytest.mark.parametrize(
    ("name", "nominal", "seen"),
    [("m4.large", 8192, 7985), ("m6i.large", 8192, 7820), ("r5.xlarge", 32768, 31431)],
)
def test_ecs_registers_less_than_nominal_and_the_estimate_is_never_more_than_was_seen(
    name, nominal, seen
):
    assert registered_mib(name, nominal, reserved=0) <= seen
    assert registered_mib(name, nominal, reserved=0) > seen * 0.97
    assert registered_mib(name, nominal) == registered_mib(name, nominal, reserved=0) - 32


def test_a_type_is_read_from_what_ec2_describes_with_the_pools_cpu_options():
    body = {
        "InstanceType": "g5.xlarge",
        "VCpuInfo": {"DefaultVCpus": 4, "DefaultCores": 2, "DefaultThreadsPerCore": 2},
        "MemoryInfo": {"SizeInMiB": 16384},
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "GpuInfo": {"Gpus": [{"Name": "A10G", "Count": 1}]},
    }
    read = InstanceType.described(body)
    assert (read.vcpus, read.registered_cpu, read.gpus) == (4, 4096, 1)
    assert read.registered_mib == registered_mib("g5.xlarge", 16384)
    few = InstanceType.described(body, max_cpus=1)
    assert (few.vcpus, few.registered_cpu) == (read.vcpus, 1024)
    assert InstanceType.described(body, max_cpus=4096).registered_cpu == read.registered_cpu
    half = InstanceType.described(body, threads_per_core=1, seen_mib=15000)
    assert (half.vcpus, half.registered_cpu, half.registered_mib) == (4, 2048, 15000)
    assert (half.default_cores, half.threads_per_core) == (2, 1)
    arm = {
        "InstanceType": "r7g.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 16384},
        "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
    }
    assert InstanceType.described(arm).architecture == "arm64"
    assert InstanceType.described(arm).registered_cpu == 2048


def test_every_module_of_the_core_is_held_to_values_by_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (pure,) = [
        set(each["source_modules"])
        for each in contracts["contracts"]
        if each["name"] == "Decisions are functions from values to values"
    ]
    texts = {path.stem: path.read_text() for path in Path(capacity.__path__[0]).glob("*.py")}
    core = {name for name, text in texts.items() if "async def" not in text} - {"__init__"}
    assert {f"awsbatch_operator.capacity.{name}" for name in core} <= pure
