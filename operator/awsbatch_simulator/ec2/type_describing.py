"""DescribeInstanceTypes: the table of types, by page.

Source: its text in the EC2 API reference. moto has the table too and answers with all of it at
once, whatever MaxResults says, which takes many seconds.
"""

from collections.abc import Iterable
from typing import Any

from awsbatch_simulator import positions
from awsbatch_simulator.ec2 import filters
from awsbatch_simulator.ec2.types import described, in_region
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PAGES = range(5, 101)
AT_ONCE = 100  # types that are named
_FILTERS = {
    "auto-recovery-supported": "AutoRecoverySupported",
    "bare-metal": "BareMetal",
    "burstable-performance-supported": "BurstablePerformanceSupported",
    "current-generation": "CurrentGeneration",
    "dedicated-hosts-supported": "DedicatedHostsSupported",
    "ebs-info.attachment-limit-type": "EbsInfo.AttachmentLimitType",
    "ebs-info.maximum-ebs-attachments": "EbsInfo.MaximumEbsAttachments",
    "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps": (
        "EbsInfo.EbsOptimizedInfo.BaselineBandwidthInMbps"
    ),
    "ebs-info.ebs-optimized-info.baseline-iops": "EbsInfo.EbsOptimizedInfo.BaselineIops",
    "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps": (
        "EbsInfo.EbsOptimizedInfo.BaselineThroughputInMBps"
    ),
    "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps": (
        "EbsInfo.EbsOptimizedInfo.MaximumBandwidthInMbps"
    ),
    "ebs-info.ebs-optimized-info.maximum-iops": "EbsInfo.EbsOptimizedInfo.MaximumIops",
    "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps": (
        "EbsInfo.EbsOptimizedInfo.MaximumThroughputInMBps"
    ),
    "ebs-info.ebs-optimized-support": "EbsInfo.EbsOptimizedSupport",
    "ebs-info.encryption-support": "EbsInfo.EncryptionSupport",
    "ebs-info.nvme-support": "EbsInfo.NvmeSupport",
    "free-tier-eligible": "FreeTierEligible",
    "hibernation-supported": "HibernationSupported",
    "hypervisor": "Hypervisor",
    "instance-storage-info.disk.count": "InstanceStorageInfo.Disks.Count",
    "instance-storage-info.disk.size-in-gb": "InstanceStorageInfo.Disks.SizeInGB",
    "instance-storage-info.disk.type": "InstanceStorageInfo.Disks.Type",
    "instance-storage-info.encryption-support": "InstanceStorageInfo.EncryptionSupport",
    "instance-storage-info.nvme-support": "InstanceStorageInfo.NvmeSupport",
    "instance-storage-info.total-size-in-gb": "InstanceStorageInfo.TotalSizeInGB",
    "instance-storage-supported": "InstanceStorageSupported",
    "instance-type": "InstanceType",
    "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
    "network-info.bandwidth-weightings": "NetworkInfo.BandwidthWeightings",
    "network-info.efa-info.maximum-efa-interfaces": "NetworkInfo.EfaInfo.MaximumEfaInterfaces",
    "network-info.efa-supported": "NetworkInfo.EfaSupported",
    "network-info.ena-support": "NetworkInfo.EnaSupport",
    "network-info.flexible-ena-queues-support": "NetworkInfo.FlexibleEnaQueuesSupport",
    "network-info.encryption-in-transit-supported": "NetworkInfo.EncryptionInTransitSupported",
    "network-info.ipv4-addresses-per-interface": "NetworkInfo.Ipv4AddressesPerInterface",
    "network-info.ipv6-addresses-per-interface": "NetworkInfo.Ipv6AddressesPerInterface",
    "network-info.ipv6-supported": "NetworkInfo.Ipv6Supported",
    "network-info.maximum-network-cards": "NetworkInfo.MaximumNetworkCards",
    "network-info.maximum-network-interfaces": "NetworkInfo.MaximumNetworkInterfaces",
    "network-info.network-performance": "NetworkInfo.NetworkPerformance",
    "nitro-enclaves-support": "NitroEnclavesSupport",
    "nitro-tpm-support": "NitroTpmSupport",
    "nitro-tpm-info.supported-versions": "NitroTpmInfo.SupportedVersions",
    "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
    "processor-info.sustained-clock-speed-in-ghz": "ProcessorInfo.SustainedClockSpeedInGhz",
    "processor-info.supported-features": "ProcessorInfo.SupportedFeatures",
    "reboot-migration-support": "RebootMigrationSupport",
    "supported-boot-mode": "SupportedBootModes",
    "supported-root-device-type": "SupportedRootDeviceTypes",
    "supported-usage-class": "SupportedUsageClasses",
    "supported-virtualization-type": "SupportedVirtualizationTypes",
    "vcpu-info.default-cores": "VCpuInfo.DefaultCores",
    "vcpu-info.default-threads-per-core": "VCpuInfo.DefaultThreadsPerCore",
    "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
    "vcpu-info.valid-cores": "VCpuInfo.ValidCores",
    "vcpu-info.valid-threads-per-core": "VCpuInfo.ValidThreadsPerCore",
}
PATHS = {name: tuple(path.split(".")) for name, path in _FILTERS.items()}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeInstanceTypes: those of the region, or those that are named, in order of name."""
    names = request.get("InstanceTypes") or ()
    if len(names) > AT_ONCE:
        raise AwsFailure("InvalidParameterValue", f"At most {AT_ONCE} instance types can be named")
    if names and request.get("MaxResults"):
        words = "The parameter instanceTypes cannot be used with the parameter maxResults"
        raise AwsFailure("InvalidParameterCombination", words)
    here = in_region(region.place.region)
    unknown = [name for name in names if name not in here]
    if unknown:
        words = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise AwsFailure("InvalidInstanceType", words)
    found: Iterable[str] = sorted(set(names) or here)
    if request.get("Filters"):  # only then all of them have to be looked at
        views = filters.kept(map(described, found), request["Filters"], PATHS, tags=False)
        found = [view["InstanceType"] for view in views]
    if names:
        return {"InstanceTypes": list(map(described, found))}
    shown, token = positions.page(found, request, sizes=PAGES, wrong_place="InvalidNextToken")
    answer: Fields = {"InstanceTypes": list(map(described, shown))}
    return answer | ({"NextToken": token} if token else {})
