"""Which SQS queue a setting names (pure)."""

import re
from dataclasses import dataclass

_URL = re.compile(
    r"https?://(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<account>\d{12})/(?P<name>[A-Za-z0-9_-]{1,80})"
)
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sqs:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":(?P<name>[A-Za-z0-9_-]{1,80})"
)
# sqs.REGION.…, REGION.queue.…, and vpce-….sqs.REGION.vpce.…
_REGION = re.compile(
    r"(?:^|\.)sqs(?:-fips)?\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.|^([a-z0-9-]+)\.queue\."
)
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and where it is."""

    url: str
    name: str
    account_id: str
    region: str


def queue_of(text: str, region: str = "") -> Queue | None:
    """Read a queue's URL or ARN; None for "". `region`: where it is, if the URL does not say.

    Raises ValueError with what a person should write instead.
    """
    if not text:
        return None
    arn, url = _ARN.fullmatch(text), _URL.fullmatch(text)
    if arn is not None:
        suffix = _SUFFIXES.get(arn["partition"], "amazonaws.com")
        at = f"https://sqs.{arn['region']}.{suffix}/{arn['account']}/{arn['name']}"
        return Queue(at, arn["name"], arn["account"], arn["region"])
    if url is None:
        raise ValueError(
            f"{text!r} is neither the URL nor the ARN of an SQS queue that is not FIFO. They look "
            "like https://sqs.eu-central-1.amazonaws.com/111122223333/NAME and "
            "arn:aws:sqs:eu-central-1:111122223333:NAME."
        )
    found = _REGION.search(url["host"])
    region = (found[1] or found[2]) if found else region
    if not region:
        raise ValueError(f"{text!r} does not say in which region it is. Give the queue's ARN.")
    return Queue(text, url["name"], url["account"], region)
