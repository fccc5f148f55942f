"""Pages of EC2's Describe operations: in the order of a key, which is the token as well."""

from collections.abc import Iterable
from typing import Any

from awsbatch_simulator.errors import AwsFailure

Fields = dict[str, Any]


def answer(
    member: str,
    views: Iterable[Fields],
    request: Fields,
    *,
    key: str,
    most: int,
    least: int = 1,
) -> Fields:
    """The page of `views` that a request asks for; without MaxResults all of them.

    Raises AwsFailure for a size that the operation does not have.
    """
    size = request.get("MaxResults")
    if size is not None and not least <= size <= most:
        message = f"MaxResults must be between {least} and {most}"
        raise AwsFailure("InvalidParameterValue", message)
    after = request.get("NextToken") or ""
    left = sorted((each for each in views if each[key] > after), key=lambda each: str(each[key]))
    if size is None or len(left) <= size:
        return {member: left}
    return {member: left[:size], "NextToken": left[size - 1][key]}
