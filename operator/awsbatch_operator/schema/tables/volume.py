"""Volumes and mount points."""

from awsbatch_operator.schema.additions import Additions, Struct, arn, number, plain, text
from awsbatch_operator.schema.forms import VOLUME
from awsbatch_operator.schema.rules import Rule, one_given

_PORT = number("Port for the encrypted traffic. Unset: chosen by the mount helper.", 0, 65535)

SHAPES: Additions = {
    "Volume": Struct(
        members={
            "name": text("Name for mountPoints.", 255, form=VOLUME),
            "host": plain("A directory of the host."),
            "efsVolumeConfiguration": plain("An EFS file system."),
            "s3filesVolumeConfiguration": plain("An S3 Files file system."),
        },
        required=("name",),
        rules=(
            one_given(
                "volume-one-source",
                {
                    "host": "has(self.host) && has(self.host.sourcePath)",
                    "efsVolumeConfiguration": "has(self.efsVolumeConfiguration)",
                    "s3filesVolumeConfiguration": "has(self.s3filesVolumeConfiguration)",
                },
                "A volume comes from one place. Keep one of host, efsVolumeConfiguration and "
                "s3filesVolumeConfiguration.",
            ),
        ),
    ),
    "Host": Struct(
        members={
            "sourcePath": text("Path on the host. Unset: a directory that goes with the job.", 4096)
        },
    ),
    "EFSVolumeConfiguration": Struct(
        members={
            "fileSystemId": text("The EFS file system.", 64),
            "rootDirectory": text("Directory of the file system to mount. Default: /.", 4096),
            "transitEncryption": plain("Whether traffic is encrypted. Default: DISABLED."),
            "transitEncryptionPort": _PORT,
            "authorizationConfig": plain("Access point and IAM authorization."),
        },
        rules=(
            Rule(
                id="efs-encryption",
                cel="""!has(self.authorizationConfig) || (has(self.transitEncryption)
                    && self.transitEncryption == 'ENABLED')
                    || (!has(self.authorizationConfig.accessPointId)
                        && !(has(self.authorizationConfig.iam)
                             && self.authorizationConfig.iam == 'ENABLED'))""",
                message=(
                    "EFS allows access points and IAM authorization over encrypted traffic only. "
                    "Set transitEncryption to ENABLED."
                ),
                field=".transitEncryption",
            ),
            Rule(
                id="efs-access-point-root",
                cel="""!has(self.authorizationConfig)
                    || !has(self.authorizationConfig.accessPointId)
                    || !has(self.rootDirectory) || self.rootDirectory == '/'""",
                message=(
                    "An access point has its own root directory. Remove rootDirectory, or set it "
                    "to /."
                ),
                field=".rootDirectory",
            ),
        ),
    ),
    "EFSAuthorizationConfig": Struct(
        members={
            "accessPointId": text("Access point of the file system.", 64),
            "iam": plain("Whether the job's role authorizes the mount. Default: DISABLED."),
        },
    ),
    "S3FilesVolumeConfiguration": Struct(
        members={
            "fileSystemArn": arn("The S3 Files file system."),
            "rootDirectory": text("Directory of the file system to mount. Default: /.", 4096),
            "transitEncryptionPort": _PORT,
            "accessPointArn": arn("Access point of the file system."),
        },
    ),
    "MountPoint": Struct(
        members={
            "containerPath": text("Path in the container.", 4096),
            "readOnly": plain("Whether the container may only read. Default: false."),
            "sourceVolume": text("Name of the volume.", 255),
        },
        required=("containerPath",),
    ),
}
