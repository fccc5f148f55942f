"""Names and hashes that stay the same for ever, because AWS objects are found by them."""

import hashlib
import re
from functools import lru_cache

from awsbatch_operator.api.metadata import ObjectKey

AWS_NAME_LIMIT = 128  # Batch: environments, queues, definitions, policies and jobs
_OUTSIDE = re.compile(r"[^A-Za-z0-9_-]")


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


def job_name(key: ObjectKey, uid: str, run: int) -> str:
    """The Batch job name of one run: a look-up by it finds that run and no other."""
    return with_suffix(key.name, short_hash(uid, str(run), digits=16))
