"""Types as EC2 describes them, and what decides about them."""

from awsbatch_operator.capacity.model import Market, Pool
from awsbatch_operator.capacity.pool_types import Wanted


def described(name, vcpus=2, gib=8, *, gpus=0, architecture="x86_64", threads=2, **more):
    """An entry of DescribeInstanceTypes, as far as it is kept."""
    body = {
        "InstanceType": name,
        "VCpuInfo": {
            "DefaultVCpus": vcpus,
            "DefaultCores": vcpus // threads,
            "DefaultThreadsPerCore": threads,
            "ValidThreadsPerCore": list(range(1, threads + 1)),
        },
        "MemoryInfo": {"SizeInMiB": gib * 1024},
        "ProcessorInfo": {"SupportedArchitectures": [architecture]},
        "SupportedUsageClasses": ["on-demand", "spot"],
        "CurrentGeneration": True,
        "BareMetal": False,
        **more,
    }
    if gpus:
        body["GpuInfo"] = {"Gpus": [{"Count": gpus}]}
    return body


def by_name(*bodies):
    return {body["InstanceType"]: body for body in bodies}


def pool(**fields):
    return Pool(**{"name": "main", "market": Market.ON_DEMAND, **fields})


def wanted(mine, **more):
    return Wanted(**{"pool": mine, "region": "eu-central-1", "reserved_mib": 32, **more})
