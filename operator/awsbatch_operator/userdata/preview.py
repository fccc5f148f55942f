"""What `userdata -f` prints: for each pool of each environment what its instances will get.

What is only known in AWS stands there as a placeholder, always the same, and is listed below.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.userdata.model import Problem, Refused, Rendered, UserData
from awsbatch_operator.userdata.pools import PoolUserData, pool_user_data
from awsbatch_operator.userdata.render import render

_KIND = "ComputeEnvironment"
CLUSTER = "CLUSTER-OF-THE-ENVIRONMENT"
CLUSTER_ID = "CLUSTER-ID-OF-THE-OPERATOR"
UID = "UID-OF-THE-OBJECT"
IMAGE = "IMAGE-OF-THE-POOL"
REGION = "REGION-OF-THE-ACCOUNT"
BLOCK_END = Instant.parse("2100-01-01T00:00:00Z")

_MEANINGS = {
    CLUSTER: "the ARN of the ECS cluster that AWS Batch makes for the environment",
    CLUSTER_ID: "the operator's --cluster-id",
    UID: "metadata.uid of the object",
    IMAGE: "the id of the machine image",
    REGION: "the region of the AWSAccount, since spec.region is not set",
    str(int(BLOCK_END.epoch)): f"the end of the block ({BLOCK_END.rfc3339()} stands for it)",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What to print, and what is wrong; the command fails if anything is."""

    text: str = ""
    errors: tuple[str, ...] = ()


def preview(text: str, source: str, *, raw: bool) -> Preview:
    """The user data of all pools in a file of manifests.

    Raw is the bytes in base64, a line for each pool: its environment, its name and the content.
    """
    try:
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError as error:
        return Preview(errors=(f"{source}: no valid YAML: {' '.join(str(error).split())}",))
    except RecursionError:
        return Preview(errors=(f"{source}: lists or mappings stand too deep in each other.",))
    shown: list[str] = []
    errors: list[str] = []
    for document in documents:
        if _is_environment(document):
            _add(document, source, raw=raw, shown=shown, errors=errors)
    if not shown and not errors:
        errors.append(
            f"{source}: no {_KIND} of {GROUP} with pools. Give the file in which spec.capacity is."
        )
    return Preview("\n".join(shown), tuple(errors))


def _is_environment(document: object) -> bool:
    if not isinstance(document, Mapping):
        return False
    group = str(document.get("apiVersion", "")).partition("/")[0]
    return document.get("kind") == _KIND and group == GROUP


def _add(
    document: Mapping[str, Any], source: str, *, raw: bool, shown: list[str], errors: list[str]
) -> None:
    metadata = document.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    name = str(named.get("name") or named.get("generateName") or "(unnamed)")
    for pool in _pools(document):
        where = f"{source}: {_KIND} {name}"
        made = _rendered(pool, document)
        if isinstance(made, Refused):
            errors += [f"{where}: {problem.text()}" for problem in made.problems]
        elif raw:
            label = pool.get("name") if isinstance(pool, Mapping) else ""
            shown.append(f"{name} {label} {base64.b64encode(made.content).decode()}")
        else:
            shown += _readable(f"{_KIND} {name}, pool {pool['name']}", made)


def _pools(document: Mapping[str, Any]) -> list[Any]:
    spec = document.get("spec")
    capacity = spec.get("capacity") if isinstance(spec, Mapping) else None
    pools = capacity.get("pools") if isinstance(capacity, Mapping) else None
    return pools if isinstance(pools, list) else []


def _rendered(pool: object, document: Mapping[str, Any]) -> Rendered | Refused:
    if not isinstance(pool, Mapping):
        what, why = "is no mapping", "A pool has a name and fields"
        return Refused((Problem("spec.capacity.pools[]", what, why, "Begin it with `- name: …`"),))
    read = pool_user_data(pool)
    if isinstance(read, Refused):
        return read
    region = document["spec"].get("region")
    return render(_wish(read, region if isinstance(region, str) and region else REGION))


def _wish(pool: PoolUserData, region: str) -> UserData:
    return UserData(
        cluster=CLUSTER,
        cluster_id=CLUSTER_ID,
        environment_uid=UID,
        pool=pool.pool,
        market=pool.market,
        region=region,
        image_id=pool.image_id or IMAGE,
        gpu=pool.gpu,
        ends_at=BLOCK_END if pool.block_seconds is not None else None,
        given=pool.given,
    )


def _readable(title: str, made: Rendered) -> Iterator[str]:
    packed = ", sent compressed" if made.compressed else ""
    yield f"=== {title}: {made.size:,} bytes{packed}, {made.hash}"
    for warning in made.warnings:
        yield f"warning: {warning}"
    for number, part in enumerate(made.parts, 1):
        yield f"--- part {number} of {len(made.parts)}: {part.content_type}, {part.filename}"
        yield part.text.removesuffix("\n")
    meant = {name: meaning for name, meaning in _MEANINGS.items() if name in made.text}
    if meant:
        yield "--- placeholders for what is known only later"
        yield from (f"{name}: {meaning}" for name, meaning in meant.items())
    yield ""
