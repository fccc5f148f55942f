"""What tells one build from another (pure)."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.userdata.images.model import RECIPE_VERSION, Recipe

# Of what is hashed here, and how. With another one every image would be made anew, so a field that
# is added later leaves the hash as it is as long as it says nothing.
VERSION = "1"
HASH_DIGITS = 12

# Nothing of these is in an image: when an instance is launched they are said again.
_OF_LAUNCHES = frozenset({"VolumeInitializationRate"})


def build_hash(desired: Desired, base_image_id: str) -> str:
    """12 hexadecimal digits that change when another image has to be made.

    Of what is in the image, of the base and of the recipe's version. Where, how fast and how often
    it is made, how it is tried, kept, tagged, copied and published changes nothing about it. The
    order counts where it makes a difference: of scripts, kernel arguments and mount options.
    """
    content = {
        "version": VERSION,
        "recipeVersion": RECIPE_VERSION,
        "base": base_image_id,
        "root": _without_launches(desired.root),
        "devices": sorted(
            ({**each, "Ebs": _without_launches(each["Ebs"])} for each in desired.devices),
            key=lambda each: str(each["DeviceName"]),
        ),
        "recipe": _said(_recipe(desired.recipe)),
    }
    return hashlib.sha256(canonical(content)).hexdigest()[:HASH_DIGITS]


def _without_launches(ebs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ebs.items() if name not in _OF_LAUNCHES}


def _recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe with everything in one order whose order says nothing."""
    content = asdict(recipe)
    for name in ("packages", "container_images"):
        content[name] = sorted(set(content[name]))
    for name, key in {"volumes": "name", "mounts": "name", "files": "path"}.items():
        content[name] = sorted(content[name], key=itemgetter(key))
    return content


def _said(value: Any) -> Any:
    """Without what says nothing, at every depth."""
    if isinstance(value, Mapping):
        inner = {name: _said(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if each not in (None, "", False, [], {})}
    if isinstance(value, list | tuple):
        return [_said(each) for each in value]
    return value
