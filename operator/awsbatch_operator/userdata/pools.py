"""What the spec of one pool says about user data, read from its YAML or JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from awsbatch_operator.userdata.cloud_config import HEADER
from awsbatch_operator.userdata.model import MARKETS, Given, Problem, Refused, pool_path

_FIELDS = ("script", "cloudConfig", "mime", "ecsConfig")
# Families with GPUs begin with p or g and a number: p5.48xlarge, g6e.xlarge.
_GPU_FAMILIES = ("p", "g")
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUserData:
    """One pool, as far as its user data goes."""

    pool: str
    market: str = "OnDemand"
    image_id: str = ""  # empty: not given as an id
    gpu: bool = False  # by what is asked for; EC2 knows for certain
    block_seconds: int | None = None
    given: Given = field(default_factory=Given)


def pool_user_data(mapping: Mapping[str, Any]) -> PoolUserData | Refused:
    """The pool of that spec; whatever else is in the mapping is not looked at."""
    name = mapping.get("name")
    if not isinstance(name, str) or not name:
        remedy = "Give the pool a name"
        problem = Problem("spec.capacity.pools[]", "has no name", "Pools are told by it", remedy)
        return Refused((problem,))
    problems: list[Problem] = []
    market = mapping.get("market", "OnDemand")
    if market not in MARKETS:
        problems.append(_wrong(name, "market", f"is {market!r}", f"Use {', '.join(MARKETS)}"))
    given = _given(name, mapping.get("userData"), problems)
    if problems:
        return Refused(tuple(problems))
    image = mapping.get("image")
    return PoolUserData(
        pool=name,
        market=str(market),
        image_id=str(image.get("amiId") or "") if isinstance(image, Mapping) else "",
        gpu=_has_gpu(mapping),
        block_seconds=_block_seconds(mapping.get("spotBlock")),
        given=given,
    )


def _wrong(pool: str, field: str, what: str, remedy: str) -> Problem:
    return Problem(
        pool_path(pool, field), what, "The operator could not tell what is meant", remedy
    )


def _given(pool: str, value: object, problems: list[Problem]) -> Given:
    if value is None:
        return Given()
    if not isinstance(value, Mapping):
        remedy = f"Give one or more of {', '.join(_FIELDS)} there"
        problems.append(_wrong(pool, "userData", "is no mapping", remedy))
        return Given()
    problems += [
        _wrong(pool, f"userData.{each}", "is no field", f"Use {', '.join(_FIELDS)}")
        for each in value
        if each not in _FIELDS
    ]
    texts = {field: value.get(field) or "" for field in ("script", "cloudConfig", "mime")}
    if isinstance(texts["cloudConfig"], Mapping):
        written = yaml.safe_dump(dict(texts["cloudConfig"]), sort_keys=False, allow_unicode=True)
        texts["cloudConfig"] = f"{HEADER}\n{written}"
    problems += [
        _wrong(pool, f"userData.{field}", "is no text", "Write it as a text: after | in YAML")
        for field, text in texts.items()
        if not isinstance(text, str)
    ]
    return Given(
        script=texts["script"],
        cloud_config=texts["cloudConfig"],
        mime=texts["mime"],
        ecs_config=_ecs_config(pool, value.get("ecsConfig"), problems),
    )


def _ecs_config(pool: str, value: object, problems: list[Problem]) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        remedy = "Write names and values, such as ECS_IMAGE_PULL_BEHAVIOR: prefer-cached"
        problems.append(_wrong(pool, "userData.ecsConfig", "is no mapping", remedy))
        return ()
    problems += [
        _wrong(
            pool, f"userData.ecsConfig.{name}", "is no text", f'Write it in quotes: "{_hint(one)}"'
        )
        for name, one in value.items()
        if not isinstance(one, str)
    ]
    return tuple((str(name), str(one)) for name, one in value.items())


def _hint(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _has_gpu(mapping: Mapping[str, Any]) -> bool:
    wanted = mapping.get("instanceRequirements")
    if isinstance(wanted, Mapping) and wanted.get("acceleratorCount"):
        return True
    types = mapping.get("instanceTypes")
    return isinstance(types, list) and any(
        isinstance(each, str) and each[:1] in _GPU_FAMILIES and each[1:2].isdigit()
        for each in types
    )


def _block_seconds(value: object) -> int | None:
    if not isinstance(value, Mapping):
        return None
    seconds, minutes = value.get("durationSeconds"), value.get("blockDurationMinutes")
    if isinstance(seconds, int):
        return seconds
    return minutes * _MINUTE if isinstance(minutes, int) else None
