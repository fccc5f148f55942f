"""What of an ExtendedAMI contradicts itself, or what AWS, the kernel or the operator states."""

from awsbatch_operator.schema.hosts import volume_rules
from awsbatch_operator.schema.rules import Rule, at_most_one, exactly_one

# End of support of the ECS-optimized images: README of aws/amazon-ecs-ami.
AL2_ENDED = "2026-06-30"
AL1_ENDED = "2025-09-15"
BASE_ROOT_GIB = 30  # of the ECS-optimized images of Amazon Linux 2023 (amazon-ecs-ami, variables)

BASE = (
    exactly_one(
        "base-source-once",
        ("family", "ssmParameter", "amiId", "amiRef"),
        "An image is made from one base. Set exactly one of family (with variant and "
        "architecture), ssmParameter, amiId and amiRef.",
    ),
    Rule(
        id="base-details-of-family",
        cel="has(self.family) || (!has(self.variant) && !has(self.architecture))",
        message=(
            "An image that is named has its variant and architecture, and the operator reads them. "
            "Remove variant and architecture, or name the base by family."
        ),
    ),
    Rule(
        id="base-al2-ended",
        cel="!has(self.family) || self.family != 'AL2'",
        message=(
            f"Support of the ECS-optimized images of Amazon Linux 2 ended on {AL2_ENDED}: they get "
            "no more fixes, and AWS Batch makes no new environment with them. Set family to "
            "AL2023; for one of your own that has to stay, set amiId or ssmParameter instead of "
            "family."
        ),
        field=".family",
    ),
    Rule(
        id="base-al1-ended",
        cel="!has(self.family) || self.family != 'AL1'",
        message=(
            f"Support of the ECS-optimized images of the first Amazon Linux ended on {AL1_ENDED}, "
            "and AWS Batch takes them no more. Set family to AL2023; for one of your own that has "
            "to stay, set amiId or ssmParameter instead of family."
        ),
        field=".family",
    ),
    Rule(
        id="base-bottlerocket",
        cel="!has(self.family) || self.family != 'Bottlerocket'",
        message=(
            "The root volume of Bottlerocket cannot be changed and it runs no scripts, so nothing "
            "can be made of it. Set family to AL2023, or use a Bottlerocket image as it is: by "
            "imageIdOverride of the environment, or by amiId of a pool."
        ),
        field=".family",
    ),
    Rule(
        id="base-variant-x86",
        cel="""!has(self.variant) || self.variant == 'standard' || !has(self.architecture)
            || self.architecture == 'x86_64'""",
        message=(
            "The images with drivers for GPUs and for Neuron are there for x86_64 only. Set "
            "architecture to x86_64, or variant to standard."
        ),
        field=".architecture",
    ),
)

DISK = volume_rules("disk", size="sizeGiB", kind="type", without=("standard",))
VOLUME = (
    Rule(
        id="mounted-volume-has-file-system",
        cel="!has(self.mountPath) || has(self.fileSystem)",
        message=(
            "A volume that is mounted needs a file system, and a new one has none. Set fileSystem "
            "to xfs or ext4, or remove mountPath."
        ),
        field=".mountPath",
    ),
)

# Where the host, Docker's own programs and the ECS agent would miss what is there.
HOST_PATH = Rule(
    id="mount-beside-the-system",
    cel="""!self.matches('^/(bin|boot|dev|etc|lib|lib64|proc|run|sbin|sys|usr)(/|$)')
        && !self.matches('^/(home|opt|root|tmp|var)$') && !self.matches('^/var/(lib|log|run|tmp)$')
        && !self.matches('^/var/lib/(ecs|cloud)(/|$)')""",
    message=(
        "What is mounted there would hide files that the host, cloud-init or the ECS agent need, "
        "and no instance would join. Choose a path of your own, such as /scratch; for the storage "
        "of containers /var/lib/docker."
    ),
)
MOUNT = (
    Rule(
        id="efs-by-its-id",
        cel="self.type != 'efs' || self.source.matches('^fs-[0-9a-f]+$')",
        message=(
            "A mount of type efs finds its file system by the id. Set source to the id, such as "
            "fs-0a1b2c3d4e5f67890, or set type to nfs and source to the host."
        ),
        field=".source",
    ),
    Rule(
        id="efs-alone-has-identity",
        cel="""self.type == 'efs'
            || (!has(self.accessPointId) && !has(self.iam) && !has(self.tls))""",
        message=(
            "Access points, IAM and TLS belong to EFS; an NFS server knows none of them. Set type "
            "to efs and source to the file system's id, or remove accessPointId, iam and tls."
        ),
    ),
    Rule(
        id="identity-needs-tls",
        cel="""!has(self.tls) || self.tls
            || (!has(self.accessPointId) && (!has(self.iam) || !self.iam))""",
        message=(
            "EFS takes an access point and IAM over TLS only. Remove tls or set it to true, or "
            "remove accessPointId and iam."
        ),
        field=".tls",
    ),
    Rule(
        id="access-point-is-a-root",
        cel="!has(self.accessPointId) || !has(self.path) || self.path == '/'",
        message=(
            "An access point has a root of its own, and EFS mounts nothing else through it. Remove "
            "path, or give the access point another root and name that one."
        ),
        field=".path",
    ),
)
OPTION_OF_A_FIELD = Rule(
    id="option-has-a-field",
    cel="!self.matches('^(tls|notls|iam|accesspoint|az|awsprofile)(=|$)')",
    message=(
        "This option says as whom and how EFS is reached, and has a field. Set tls, iam or "
        "accessPointId of the mount instead, and remove the option."
    ),
)
CPU = at_most_one(
    "cpu-limited-once",
    ("threadsPerCore", "maxCpus"),
    "threadsPerCore 1 uses one thread of each core, and maxCpus the first so many CPUs: of both "
    "together nobody could say how many are left. Set one of threadsPerCore and maxCpus.",
)
KERNEL_ARGUMENT = Rule(
    id="kernel-argument-is-ours",
    cel="""!self.matches('^(nosmt|nr_cpus|maxcpus|possible_cpus)(=|$)')
        && !self.matches('^(root|rootflags|rootfstype|rootwait|ro|rw|init|rdinit|console)(=|$)')
        && !self.matches('^(rd|systemd)[.](break|unit|mask|wants)(=|$)')
        && !self.matches('^(single|emergency|rescue)$')""",
    message=(
        "The operator sets those for CPUs itself, by cpu.threadsPerCore and cpu.maxCpus, and "
        "without the image's own for root, init and console no instance boots or can be heard. Use "
        "the field cpu, or remove the argument."
    ),
)
# What the clean-up of a build takes away or refuses (userdata/images/endings.py), and what the
# operator writes. Scripts for every boot stay.
FILE = Rule(
    id="file-of-the-image",
    cel="""!self.matches('^/(dev|proc|run|sys|tmp)(/|$)')
        && !self.matches('^/var/(cache|log|run|tmp)(/|$)')
        && !self.matches('^/var/lib/(amazon|awsbatch|docker|containerd|ecs)(/|$)')
        && (!self.matches('^/var/lib/cloud(/|$)')
            || self.matches('^/var/lib/cloud/scripts/per-(boot|instance|once)/'))
        && !self.matches('^/(root|home/[^/]+)/[.](aws|docker|ecr|ssh)(/|$)')
        && !self.matches('^/etc/ssh/ssh_host_')
        && !(self in ['/etc/fstab', '/etc/ecs/ecs.config', '/etc/machine-id', '/etc/hostname',
            '/etc/systemd/system/ecs.service.d/50-awsbatch-mounts.conf'])""",
    message=(
        "A file there would not be there when an instance boots: it is of one host only, holds "
        "credentials, or is written by the operator. Choose another path; what belongs into fstab "
        "goes into volumes and mounts, what belongs into ecs.config into ecsConfig."
    ),
)
SCRIPT = exactly_one(
    "script-content-once",
    ("content", "contentFrom"),
    "A script's text stands in the object or in a ConfigMap. Set exactly one of content and "
    "contentFrom.",
)
FIRST_LINE = r"^#!/[^\r\n]+(\n|$)"
SCRIPT_LINES = Rule(
    id="script-lines-of-linux",
    cel="!has(self.content) || self.content.matches('^#!/[^\\r\\n]+(\\n|$)')",
    message=(
        "A script names the program that runs it in its first line, and Linux takes the carriage "
        "return of a file made on Windows for a part of that name. Begin with a line such as "
        "#!/bin/bash, and convert such a file with dos2unix."
    ),
    field=".content",
)
SCRIPTS = Rule(
    id="scripts-named-once",
    cel="self.all(s, self.exists_one(o, o.name == s.name))",
    message=(
        "A script is known by its name when it has failed, so each has one of its own. Rename the "
        "second script of the same name."
    ),
)
CLUSTER = Rule(
    id="no-cluster-in-an-image",
    cel="!('ECS_CLUSTER' in self)",
    message=(
        "An image serves any environment, and each instance is told its cluster when it boots: "
        "with another one in the image it could join the wrong one. Remove ECS_CLUSTER."
    ),
)
PARAMETER = Rule(
    id="parameter-of-your-own",
    cel="!self.lowerAscii().matches('^/?(aws|ssm)')",
    message=(
        "Systems Manager keeps names that begin with aws or ssm for AWS. Choose another name, such "
        "as /images/atmos."
    ),
)

# --- on the whole spec ---

# AWS KMS developer guide, "Multi-Region keys": ids that begin so are the same in each region.
_MULTI = "(!has({0}.kmsKeyId) || {0}.kmsKeyId.matches('(^|/)mrk-[0-9a-f]+$'))"

SPEC = (
    Rule(
        id="devices-once",
        cel="""!has(self.volumes) || self.volumes.all(v,
            self.volumes.exists_one(o, o.deviceName == v.deviceName))""",
        message=(
            "Two volumes of one instance cannot have the same device. Give each of volumes a "
            "deviceName of its own."
        ),
        field=".volumes",
    ),
    Rule(
        id="mount-paths-once",
        cel="""(!has(self.volumes) || self.volumes.all(v, !has(v.mountPath)
            || self.volumes.exists_one(o, has(o.mountPath) && o.mountPath == v.mountPath)))
            && (!has(self.mounts) || self.mounts.all(m,
            self.mounts.exists_one(o, o.mountPath == m.mountPath)))
            && (!has(self.volumes) || !has(self.mounts) || self.volumes.all(v, !has(v.mountPath)
            || !self.mounts.exists(m, m.mountPath == v.mountPath)))""",
        message=(
            "Of two mounts at one path the later hides the earlier. Give each of volumes and "
            "mounts a mountPath of its own."
        ),
    ),
    Rule(
        id="threads-of-arm",
        cel="""!has(self.cpu) || !has(self.cpu.threadsPerCore) || self.cpu.threadsPerCore != 1
            || !has(self.base.architecture) || self.base.architecture != 'arm64'""",
        message=(
            "A core of an arm64 instance has one thread anyway, so there is none to switch off. "
            "Remove cpu.threadsPerCore."
        ),
        field=".cpu",
    ),
    Rule(
        id="root-as-large-as-base",
        cel=f"""!has(self.base.family) || !has(self.rootVolume) || !has(self.rootVolume.sizeGiB)
            || self.rootVolume.sizeGiB >= {BASE_ROOT_GIB}""",
        message=(
            f"The root volume of the base has {BASE_ROOT_GIB} GiB, and EC2 makes none smaller from "
            f"it. Set rootVolume.sizeGiB to {BASE_ROOT_GIB} or more, or remove it."
        ),
        field=".rootVolume",
    ),
    Rule(
        id="copies-need-a-key-of-their-region",
        cel=f"""!has(self.regions) || self.regions.size() == 0
            || ((!has(self.rootVolume) || {_MULTI.format("self.rootVolume")})
            && (!has(self.volumes) || self.volumes.all(v, {_MULTI.format("v")})))""",
        message=(
            "A KMS key is of one region, and EC2 encrypts a copy with one of the copy's own. Name "
            "a multi-Region key, whose id begins with mrk- and which has a replica in each of "
            "regions; or remove kmsKeyId, and copies are encrypted with their region's key for EBS."
        ),
        field=".regions",
    ),
    Rule(
        id="copies-have-one-key",
        cel="""!has(self.regions) || self.regions.size() == 0 || !has(self.volumes)
            || self.volumes.all(v, !has(v.kmsKeyId) || ((!has(self.rootVolume)
            || !has(self.rootVolume.kmsKeyId) || self.rootVolume.kmsKeyId == v.kmsKeyId)
            && self.volumes.all(o, !has(o.kmsKeyId) || o.kmsKeyId == v.kmsKeyId)))""",
        message="EC2 encrypts a copy with one key. Give all disks one kmsKeyId, or remove regions.",
        field=".regions",
    ),
    Rule(
        id="regions-are-further-ones",
        cel="!has(self.regions) || !has(self.region) || !(self.region in self.regions)",
        message=(
            "The image is made in spec.region, so that regions are the further ones to copy it to. "
            "Remove spec.region from regions."
        ),
        field=".regions",
    ),
)
