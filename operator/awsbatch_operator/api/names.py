"""Names and hashes that stay the same for ever, because AWS objects are found by them."""

import hashlib
import re
from collections.abc import Collection
from functools import lru_cache
from itertools import count

from awsbatch_operator.api.metadata import ObjectKey

# Launch templates, which are looked up by id or by name; a name may look like an id.
BY_ID, BY_NAME = "id:", "name:"

AWS_NAME_LIMIT = 128  # Batch: environments, queues, definitions, policies and jobs
_OUTSIDE = re.compile(r"[^A-Za-z0-9_-]")
_SUFFIX = re.compile(r"[0-9a-f]{8}")  # short_hash


def short_hash(*parts: str, digits: int = 8) -> str:
    """Hex digits of SHA-256 over the parts, which are kept apart by a byte that none contains."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:digits]


def readable(text: str) -> str:
    """The text with every character that AWS Batch refuses in a name replaced by '-'."""
    return _OUTSIDE.sub("-", text)


def with_suffix(text: str, suffix: str, limit: int = AWS_NAME_LIMIT) -> str:
    """`<text>-<suffix>`; the readable part is cut to the limit, never the suffix."""
    return f"{readable(text)[: limit - len(suffix) - 1]}-{suffix}"


@lru_cache(maxsize=4096)  # a turn asks for it, whatever was recorded
def default_aws_name(cluster_id: str, key: ObjectKey) -> str:
    """The AWS name of an object that names none: readable, and unique across clusters."""
    suffix = short_hash(cluster_id, key.kind, key.namespace, key.name)
    return with_suffix(f"{key.namespace}-{key.name}", suffix)


def successor_name(first: str, known: Collection[str], *parts: str) -> str:
    """A name for what replaces something whose first name was `first`; none of the `known` ones.

    The same parts (the uid and the generation of the object) lead to the same name as long as the
    same names are known.
    """
    names = (with_suffix(first, short_hash(*parts, str(attempt))) for attempt in count())
    return next(name for name in names if name not in known)


def may_succeed(name: str, first: str) -> bool:
    """Whether `successor_name` may have made the name of that first one."""
    head, _, suffix = name.rpartition("-")
    return bool(_SUFFIX.fullmatch(suffix)) and name == with_suffix(first, suffix) and head != ""


def job_name(key: ObjectKey, uid: str, run: int) -> str:
    """The Batch job name of one run: a look-up by it finds that run and no other."""
    return with_suffix(key.name, short_hash(uid, str(run), digits=16))
