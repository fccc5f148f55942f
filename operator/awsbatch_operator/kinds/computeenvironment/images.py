"""Machine images: which AWS has ended, and newer ones that it announces (pure).

With some image types AWS makes no new compute environment any more. Sources:
Ec2Configuration.imageType in the API reference (since June 30, 2026 none on an image of Amazon
Linux 2 that AWS provides; with an image of one's own it goes on); AWS Batch user guide, page
al1-ami-deprecation, for ECS_AL1, which is no image type any more. Those of EKS get no more
updates, which AWS does not call a reason to refuse one.

The API server must not refuse them: environments that AWS has keep their image type, and objects
that are made anew for them (in a rebuilt cluster, say) name it.

A newer image of a type is announced by `batchImageStatus` in a description, where the environment
has begun to launch instances from AWS's own image of the type (Ec2Configuration.batchImageStatus).
"""

import re
from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.computeenvironment.noops import IMAGE_STATUS
from awsbatch_operator.kinds.computeenvironment.observed import Observed

# By image type: the one that comes after it.
_ENDED: Mapping[str, str] = {
    "ECS_AL1": "ECS_AL2023",
    "ECS_AL2": "ECS_AL2023",
    "ECS_AL2_NVIDIA": "ECS_AL2023_NVIDIA",
}
# Amazon Linux 2023 is the "default for all non-GPU instance families", and with _NVIDIA "for all
# GPU instance families" (Ec2Configuration.imageType).
_GPU = "_NVIDIA"
_KIND = re.compile(rf"E[CK]S_((?:AL2|AL2023)(?:{_GPU})?)")
_GRAPHICS = re.compile(r"(?:p|g|gr)\d")  # names of families with GPUs, as EC2 gives them
_NO_TYPE_ANY_MORE = frozenset({"ECS_AL1"})


def ended(content: Mapping[str, Any]) -> str:
    """What to change before AWS can make an environment of this content; "" if nothing.

    A launch template may name an image: then only AWS can tell.
    """
    resources = content.get("computeResources") or {}
    image = resources.get("imageId") or resources.get("launchTemplate")
    changes = []
    for number, entry in enumerate(resources.get("ec2Configuration") or ()):
        kind = str(entry.get("imageType", ""))
        own = (image or entry.get("imageIdOverride")) and kind not in _NO_TYPE_ANY_MORE
        if kind in _ENDED and not own:
            path = f"spec.computeResources.ec2Configuration[{number}]"
            by_image = f", or name an image of your own in {path}.imageIdOverride"
            alternative = "" if kind in _NO_TYPE_ANY_MORE else by_image
            changes.append(f"Set {path}.imageType to {_ENDED[kind]}{alternative}.")
    return " ".join(changes)


def named_once(observed: Observed) -> tuple[str, ...]:
    """The image types of the environment that AWS would not choose by itself today.

    So a spec has named them once, or AWS has chosen them while they were its default.
    """
    resources = observed.content.get("computeResources") or {}
    graphics = [bool(_GRAPHICS.match(each)) for each in resources.get("instanceTypes") or ()]
    usual = {"AL2023": not graphics or not all(graphics), f"AL2023{_GPU}": any(graphics)}
    kinds = [str(each.get("imageType")) for each in resources.get("ec2Configuration") or ()]
    known = ((kind, _KIND.fullmatch(kind)) for kind in kinds)
    return tuple(kind for kind, found in known if found and not usual.get(found.group(1)))


def refusal(content: Mapping[str, Any]) -> Finding | None:
    """Why AWS would not make an environment of this content; None if it may."""
    remedy = ended(content)
    if not remedy:
        return None
    kinds = {
        str(entry.get("imageType")) for entry in content["computeResources"]["ec2Configuration"]
    }
    named = ", ".join(sorted(kinds & _ENDED.keys()))
    words = (
        f"AWS has ended {named}, and makes no new compute environment with it. Environments that "
        "have it go on."
    )
    return Finding(catalogue.NO_LONGER_OFFERED, words, remedy)


def announced(observed: Observed) -> bool:
    """Whether AWS Batch says that it has a newer image for the environment."""
    resources = observed.content.get("computeResources") or {}
    entries = resources.get("ec2Configuration") or ()
    return any(each.get(IMAGE_STATUS) == "UPDATE_AVAILABLE" for each in entries)


def news(observed: Observed, *, tracked: bool) -> str:
    """What is told of a newer image that is not taken over now; "" if there is none."""
    if not announced(observed):
        return ""
    if tracked:
        return (
            "AWS was told to take its newest machine image, and says that there is a newer one "
            "until new instances have started."
        )
    return (
        "AWS has a newer machine image for this environment. Set spec.imageUpdates to Track, and "
        "it is taken over: instances are exchanged, as updatePolicy says."
    )
