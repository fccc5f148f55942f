"""What the texts of an ExtendedAMI look like, so that none of them can be more than it says.

All of them end up in a script, in a file of the host or on the kernel's command line. The scripts
quote them as well (userdata/images).
"""

from awsbatch_operator.schema.rules import form

# A name in a path that is neither "." nor "..", so that no path leads out of where it begins.
_STEP = r"\.?[A-Za-z0-9_-][A-Za-z0-9._-]*"

PART_NAME = form(
    "part-name",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "is no name of a part of an image",
    "Names have lower-case letters, digits and '-', and begin and end with a letter or a digit, "
    "such as scratch.",
)
DEVICE = form(
    "device-name",
    r"^/dev/(sd[f-p]|xvd[b-d][a-z])$",
    "is no name that a further volume can have in EC2",
    "Write /dev/sdf to /dev/sdp, or /dev/xvdba to /dev/xvddz. Those before are for the root volume "
    "and the instance store, and Linux may show /dev/sdf as /dev/xvdf or /dev/nvme1n1.",
)
MOUNT_PATH = form(
    "mount-path",
    rf"^(/{_STEP})+$",
    "is no path to mount at",
    "Write an absolute path of letters, digits, '.', '_' and '-', without '..' and without a slash "
    "at its end, such as /scratch.",
)
INNER_PATH = form(
    "inner-path",
    rf"^/({_STEP}(/{_STEP})*)?$",
    "is no path inside a file system",
    "Write / for all of it, or an absolute path of letters, digits, '.', '_' and '-', without "
    "'..', such as /data/2024.",
)
FILE_PATH = form(
    "file-path",
    r"^(/\.?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$",
    "is no path of a file",
    "Write an absolute path of letters, digits and characters of . _ @ + -, without '..', such as "
    "/etc/sysctl.d/90-atmos.conf.",
)
FILE_MODE = form(
    "file-mode",
    r"^0[0-7][0-7][0-7]$",
    "is no mode of a file",
    "Write four octal digits in quotes, the first of them 0, such as '0644' or '0755'.",
)
MOUNT_SOURCE = form(
    "mount-source",
    r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
    "names no file system",
    "Write the id of an EFS file system, such as fs-0a1b2c3d4e5f67890, or the host of an NFS "
    "server by its name or IPv4 address, such as nfs.example.org; the folder there goes into path.",
)
ACCESS_POINT_ID = form(
    "access-point-id",
    r"^fsap-[0-9a-f]+$",
    "is no id of an EFS access point",
    "Ids look like fsap-0a1b2c3d4e5f67890. Look it up with aws efs describe-access-points.",
)
MOUNT_OPTION = form(
    "mount-option",
    r"^[a-z][a-z0-9_.-]*(=[A-Za-z0-9._:/+-]+)?$",
    "is no mount option",
    "Write one option an entry, without commas, spaces and quotes, such as ro or rsize=1048576; "
    "_netdev and nofail are always set.",
)
PACKAGE = form(
    "package",
    r"^[A-Za-z0-9][A-Za-z0-9._+:~^-]*$",
    "is no name of a package",
    "Write it as dnf knows it, with or without a version, such as htop or "
    "amazon-efs-utils-2.3.0-1.amzn2023; no options, groups, files or wildcards.",
)
KERNEL_ARGUMENT = form(
    "kernel-argument",
    r"^[A-Za-z][A-Za-z0-9_.-]*(=[A-Za-z0-9_.,:/+@-]+)?$",
    "is no argument of the kernel",
    "Write one argument an entry, without spaces and quotes, such as transparent_hugepage=never.",
)
CONFIG_KEY = form(
    "config-key",
    r"^[-._A-Za-z0-9]+$",
    "is no key of a ConfigMap",
    "Keys have letters, digits, '-', '_' and '.', such as tune.sh.",
)
