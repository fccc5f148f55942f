"""Pages by position: the token is how many came before."""

import itertools
from collections.abc import Iterable
from typing import Any

from awsbatch_simulator.errors import AwsFailure

DIGITS = 9


def page(
    found: Iterable[Any],
    request: dict[str, Any],
    *,
    sizes: range,
    wrong_place: str,
    wrong_size: str = "InvalidParameterValue",
) -> tuple[list[Any], str | None]:
    """What a request shows of a list, and the token of what follows.

    Without MaxResults as many as can be. Raises AwsFailure with those codes.
    """
    size, token = request.get("MaxResults", sizes[-1]), request.get("NextToken") or "0"
    if size not in sizes:
        raise AwsFailure(wrong_size, f"MaxResults must be between {sizes.start} and {sizes[-1]}")
    if not token.isascii() or not token.isdigit() or len(token) > DIGITS:
        raise AwsFailure(wrong_place, "The token is none that was given")
    start = int(token)
    shown = list(itertools.islice(found, start, start + size + 1))
    return shown[:size], str(start + size) if len(shown) > size else None
