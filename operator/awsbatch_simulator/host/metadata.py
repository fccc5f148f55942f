"""The instance metadata service, as far as scripts of user data ask it.

Source: EC2 User Guide "Instance metadata categories".
"""

import json
import re

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.region import Region

_TAG = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9+\-=.,_:@]{1,128}")  # others are not for the service


def metadata(region: Region, instance: Instance) -> dict[str, str]:
    """Texts by their path below /latest; empty ones there are not."""
    interface = instance.interfaces[0]
    profile = instance.request.get("IamInstanceProfile") or {}
    name = str(profile.get("Arn") or profile.get("Name") or "").rpartition("/")[2]
    document = {
        "accountId": region.place.account,
        "availabilityZone": instance.zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.type,
        "privateIp": interface.address,
        "region": region.place.region,
    }
    found = {
        "api/token": "simulated",
        "dynamic/instance-identity/document": json.dumps(document, indent=2),
        "meta-data/ami-id": instance.image_id,
        "meta-data/instance-id": instance.id,
        "meta-data/instance-life-cycle": "spot" if instance.spot else "on-demand",
        "meta-data/instance-type": instance.type,
        "meta-data/local-hostname": f"ip-{interface.address.replace('.', '-')}.internal",
        "meta-data/local-ipv4": interface.address,
        "meta-data/placement/availability-zone": instance.zone,
        "meta-data/placement/region": region.place.region,
        "meta-data/iam/security-credentials/" + name if name else "": "{}" if name else "",
    }
    options = instance.request.get("MetadataOptions") or {}
    if options.get("InstanceMetadataTags") == "enabled":
        found |= {
            f"meta-data/tags/instance/{key}": value
            for key, value in instance.tags.items()
            if _TAG.fullmatch(key)
        }
    return {path: text for path, text in found.items() if path}
