"""The message that EC2 gets, and that it fits."""

from collections.abc import Mapping

from awsbatch_operator.userdata import message
from awsbatch_operator.userdata.images.frame import SCRIPT_PART
from awsbatch_operator.userdata.images.model import Recipe, UserDataTooLongError
from awsbatch_operator.userdata.model import BYTES_LIMIT, SHELL_SCRIPT, Part


def sent(hooks: tuple[Part, ...], script: str, recipe: Recipe) -> bytes:
    """The boothooks and the script as one message, compressed if it is long.

    Raises UserDataTooLongError if that does not help.
    """
    parts = (*hooks, Part(SHELL_SCRIPT, SCRIPT_PART, script))
    plain = message.written(parts).encode("ascii")
    content = plain if len(plain) <= BYTES_LIMIT else message.compressed(plain)
    if len(content) > BYTES_LIMIT:
        raise UserDataTooLongError(size=len(content), limit=BYTES_LIMIT, largest=_largest(recipe))
    return content


def _largest(recipe: Recipe) -> str:
    """The field that takes most of the room, with its compressed size."""
    sizes = {name: len(message.compressed(text.encode("utf-8", "surrogatepass")))
             for name, text in _texts(recipe).items()}  # fmt: skip
    name = max(sizes, key=lambda each: sizes[each])
    return f"{name} ({sizes[name]:,} bytes compressed)"


def _texts(recipe: Recipe) -> Mapping[str, str]:
    texts = {
        "spec.packages": " ".join(recipe.packages),
        "spec.kernelArguments": " ".join(recipe.kernel_arguments),
        "spec.containerImages": " ".join(recipe.container_images),
        "spec.volumes": " ".join(f"{each}" for each in recipe.volumes),
        "spec.mounts": " ".join(f"{each}" for each in recipe.mounts),
        "spec.ecsConfig": " ".join(f"{name}={value}" for name, value in recipe.ecs_config.items()),
    }
    texts |= {f"spec.files[path={each.path}]": each.content for each in recipe.files}
    return texts | {f"spec.scripts[name={each.name}]": each.content for each in recipe.scripts}
