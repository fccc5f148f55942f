"""SsmPort on boto3's Systems Manager client."""

from collections.abc import Mapping, Sequence

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.kept import Kept
from awsbatch_operator.aws.sender import Sender

KEPT_SECONDS = 300.0
_MOST = 1000
# ECS developer guide, "Retrieving Amazon ECS-optimized Linux AMI metadata". There is no image of
# AL2023 with GPU drivers for arm64.
_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023{variant}/recommended/image_id"
_VARIANTS: Mapping[tuple[str, bool], str] = {
    ("x86_64", False): "",
    ("arm64", False): "/arm64",
    ("x86_64", True): "/gpu",
}


def ecs_image_parameter(architecture: str, *, gpu: bool) -> str | None:
    """The public parameter that names the ECS-optimized AL2023 image; None: there is none."""
    variant = _VARIANTS.get((architecture, gpu))
    return None if variant is None else _PARAMETER.format(variant=variant)


class SsmAdapter:
    """Parameters through the Sender."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._values: Kept[str] = Kept(self._fetch, clock, seconds=KEPT_SECONDS, most=_MOST)

    async def image_parameter(self, scope: Scope, name: str, *, fresh: bool = False) -> str | None:
        return (await self._values.get(scope, [name], fresh=fresh)).get(name)

    async def _fetch(self, scope: Scope, names: Sequence[str]) -> Mapping[str, str]:
        found = {}
        for name in names:
            try:
                answer = await self._sender.call(scope, "ssm:GetParameter", {"Name": name})
            except AwsError as error:
                if error.kind is not ErrorKind.NOT_FOUND:
                    raise
                continue
            found[name] = str(answer["Parameter"]["Value"])
        return found
