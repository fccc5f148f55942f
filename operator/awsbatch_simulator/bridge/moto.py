"""Hands requests to moto and its answers back, with our accounts and what `seeds` promises.

moto is imported when first needed (EC2 takes two seconds and 100 MB). Its state belongs to the
process, not to a world: a world that touches an account first forgets what an earlier world left
there, so two worlds of one process should not use moto at the same time.

What is used of moto's inside, all of it here and in `bridge/stage.py`: `moto.backends.get_backend`,
a backend's `urls`, `Request.from_primitives`, the header `x-moto-account-id`, and three id
functions of its EC2. moto has no stable plug-in interface, so its version is pinned and
`tests/simulator` holds each of these.
"""

import re
import threading
from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.bridge import stage
from awsbatch_simulator.context import Place
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.wire import WireAnswer, WireRequest

SERVICES = frozenset(
    {
        *("cloudwatch", "ec2", "efs", "events", "iam", "resourcegroupstaggingapi"),
        *("secretsmanager", "service-quotas", "sns", "sqs", "ssm"),
    }
)
GLOBAL_SERVICES = frozenset({"iam"})
# Instances, volumes, snapshots, fleets, templates and their tags are ours (two stores would split
# tags and filters), so of EC2 only these come from moto.
EC2_OPERATIONS = (
    *("*Vpc*", "*Subnet*", "*SecurityGroup*", "*RouteTable*", "*Route", "*Gateway*"),
    *("*NetworkAcl*", "*NetworkInterface*", "*KeyPair*", "*DhcpOptions*", "*PrefixList*"),
    *("*Address", "*Addresses", "DescribeAvailabilityZones", "DescribeRegions"),
    *("DescribeInstanceType*", "DescribeImages", "DescribeAccountAttributes"),
)


def serves(operation: Operation) -> bool:
    """Whether an operation that is not ours goes to moto."""
    if operation.service not in SERVICES:
        return False
    return operation.service != "ec2" or any(
        fnmatchcase(operation.name, glob) for glob in EC2_OPERATIONS
    )


class MotoBridge:
    """moto as a part of one world. Thread-safe; does not need the world's lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._adopted: set[tuple[str, str]] = set()
        self._staged: set[tuple[str, Place]] = set()

    def touched(self, service: str, account: str) -> bool:
        """Whether anyone of this world has used that service of moto in the account."""
        return (service, account) in self._adopted

    def backend(self, service: str, place: Place) -> Any:
        """Moto's state of a service in a place, with the seeds in it."""
        from moto.backends import get_backend  # noqa: PLC0415 - see the module's docstring

        where = "aws" if service in GLOBAL_SERVICES else place.region
        with self._lock:
            accounts: Any = get_backend(service.replace("-", ""))
            if (service, place.account) not in self._adopted:
                accounts.pop(place.account, None)
                self._adopted.add((service, place.account))
            key = (service, Place(place.account, where))
            if key in self._staged:
                return accounts[place.account][where]
            backend = stage.prepared(service, accounts[place.account], where)
            self._staged.add(key)
            return backend

    def perform(self, operation: Operation, wire: WireRequest, place: Place) -> WireAnswer:
        """Have moto answer. Raises AwsFailure NotImplemented for what it does not know."""
        with self._lock:
            backend = self.backend(operation.service, place)
            url = _url(operation, wire, place)
            handler = next(
                (do for pattern, do in backend.urls.items() if re.match(pattern, _bare(url))), None
            )
            if handler is None:
                raise _missing(operation)
            return _answer(operation, *_asked(handler, wire, url, place, operation))


def _asked(
    handler: Any, wire: WireRequest, url: str, place: Place, operation: Operation
) -> tuple[int, dict[str, Any], str | bytes]:
    """Call one of moto's views."""
    from moto.core.exceptions import HTTPException  # noqa: PLC0415 - see the module's docstring
    from moto.core.request import Request  # noqa: PLC0415

    headers = {**wire.headers, "x-moto-account-id": place.account, "host": url.split("/")[2]}
    request = Request.from_primitives(wire.method, url, headers, wire.body)
    try:
        status, answered, body = handler(request, request.raw_url, request.headers)
    except NotImplementedError:
        raise _missing(operation) from None
    except HTTPException as error:
        status, answered, body = error.code or 500, error.get_headers(), error.get_body()
    return int(status), dict(answered), body


def _answer(
    operation: Operation, status: int, headers: dict[str, Any], body: str | bytes
) -> WireAnswer:
    content = body.encode() if isinstance(body, str) else body
    start = content[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) or content == b"Not yet implemented":
        raise _missing(operation)
    kept = {"content-type", "x-amzn-requestid", "x-amzn-errortype", "x-amzn-query-error"}
    passed = {name: str(value) for name, value in headers.items() if name.lower() in kept}
    return WireAnswer(status, passed, content)


def _missing(operation: Operation) -> AwsFailure:
    return not_implemented(operation.service, operation.name)


def _url(operation: Operation, wire: WireRequest, place: Place) -> str:
    host = f"{operation.model.service_model.endpoint_prefix}.{place.region}.amazonaws.com"
    return f"https://{host}{wire.path}" + (f"?{wire.query}" if wire.query else "")


def _bare(url: str) -> str:
    return url.split("?", maxsplit=1)[0]
