"""What AWS says about its things: without the ids of requests, and in whole characters.

A compute environment's statusReason repeats what Auto Scaling or EC2 answered, with the id of that
request; a job's repeats what ECS, ECR or Secrets Manager did. AWS tries again and again, and each
time the id is another: taken out here, before anybody compares or shows it, nothing has changed.
"""

import re
from collections.abc import Mapping
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import without_request_ids
from awsbatch_operator.telemetry.secrets import masked

WORDS_LIMIT = 4096  # characters of one text; AWS's are shorter
# The members of the Batch, ECS and EC2 answers that hold sentences, and those that hold such again.
_SENTENCES = frozenset(
    {
        "ErrorMessage",
        "Message",
        "StateTransitionReason",
        "reason",
        "statusMessage",
        "statusReason",
        "stoppedReason",
    }
)
_BELOW = frozenset(
    {
        "Instances",
        "StateReason",
        "Status",
        "attempts",
        "container",
        "containers",
        "ecsProperties",
        "eksAttempts",
        "eksProperties",
        "failures",
        "initContainers",
        "podProperties",
        "taskProperties",
    }
)
_LOOKED_AT = _SENTENCES | _BELOW
# Each escape of a JSON text, so that none begins in the middle of another; a character beyond the
# first 65,536 is a pair of them.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_MISSING = rb"\ufffd"  # what Unicode has for a character that cannot be shown


def whole_characters(body: bytes) -> bytes:
    """A JSON answer with no halves of characters.

    A service that cuts a text after so many units leaves half of an emoji at its end. No text of
    ours can hold that, and the API server would keep another character, so that the same status
    would be written again and again.
    """
    if rb"\ud" not in body and rb"\uD" not in body:
        return body
    return _ESCAPE.sub(lambda found: _MISSING if found[1] else found[0], body)


def steady(answer: Mapping[str, Any]) -> Shape:
    """An answer as botocore gives it, without its metadata.

    The ids are taken out of the things that it lists where they stand: nobody else has them yet,
    and thousands are listed at once.
    """
    kept = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    for value in kept.values():
        if isinstance(value, list):
            _settle(value)
    return kept


def _settle(value: Any) -> None:
    if isinstance(value, list):
        for entry in value:
            _settle(entry)
    elif isinstance(value, dict):
        for name in value.keys() & _LOOKED_AT:
            inner = value[name]
            if name in _BELOW:
                _settle(inner)
            elif isinstance(inner, str):
                # Docker repeats the command that it could not start, and a person who ends a job
                # may write anything.
                value[name] = masked(without_request_ids(inner), limit=WORDS_LIMIT)
