"""Hands requests to moto and its answers back, with our accounts and what `seeds` promises.

moto is imported when first needed (EC2 takes two seconds and 100 MB). Its state belongs to the
process, not to a world: a world that touches an account first forgets what an earlier world left
there, so two worlds of one process should not use moto at the same time.

What is used of moto's inside, all of it here and in `bridge/`: `moto.backends.get_backend`, an
account's `regions`, a backend's `urls`, `Request.from_primitives`, the header `x-moto-account-id`,
three id functions of its EC2, and its files of images and parameters. moto has no stable plug-in
interface, so its version is pinned and `tests/component/simulator_over_http` holds each of these.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.bridge import stage, trust
from awsbatch_simulator.context import Place
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.wire import WireAnswer, WireRequest

SERVICES = frozenset(
    {
        *("cloudwatch", "ec2", "efs", "events", "iam", "resourcegroupstaggingapi"),
        *("secretsmanager", "service-quotas", "sns", "sqs"),
    }
)
GLOBAL_SERVICES = frozenset({"iam"})
# Instances, images, volumes, snapshots, fleets, templates and their tags are ours (two stores would
# split tags and filters), so of EC2 only these come from moto.
EC2_OPERATIONS = (
    *("*Vpc*", "*Subnet*", "*SecurityGroup*", "*RouteTable*", "*Route", "*Gateway*"),
    *("*NetworkAcl*", "*NetworkInterface*", "*KeyPair*", "*DhcpOptions*", "*PrefixList*"),
    *("*Address", "*Addresses", "DescribeAvailabilityZones", "DescribeRegions"),
    *("DescribeInstanceType*", "DescribeAccountAttributes"),
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
        # How many addresses of a place's subnets are taken by instances, which moto does not know.
        self.occupied: Callable[[Place], Mapping[str, int]] = lambda _place: {}
        self._shown: dict[tuple[Place, str], int] = {}  # what was last taken off
        self.iam_changes = 0  # calls of IAM that may have changed something

    def touched(self, service: str, place: Place) -> bool:
        """Whether anyone of this world has used that service of moto there."""
        return (service, _where(service, place)) in self._staged

    def backend(self, service: str, place: Place) -> Any:
        """Moto's state of a service in a place, with the seeds in it.

        Raises AwsFailure NotImplemented for a region that moto does not know.
        """
        from moto.backends import get_backend  # noqa: PLC0415 - see the module's docstring

        here = _where(service, place)
        with self._lock:
            accounts: Any = get_backend(service.replace("-", ""))
            if (service, place.account) not in self._adopted:
                accounts.pop(place.account, None)
                self._adopted.add((service, place.account))
            account = accounts[place.account]
            if (service, here) in self._staged:
                return account[here.region]
            if here.region not in account.regions:
                raise not_implemented(service, f"the region {here.region}")
            backend = stage.prepared(service, account, here.region)
            self._staged.add((service, here))
            return backend

    def perform(
        self, operation: Operation, wire: WireRequest, parameters: Mapping[str, Any], place: Place
    ) -> WireAnswer:
        """Have moto answer. Raises AwsFailure NotImplemented for what it does not know.

        `parameters` are what the request says, by the model's names; moto parses it anew.
        """
        trust.check(operation, parameters)
        wire = _at_once(operation, _unambiguous(operation, wire), parameters)
        # Asked for without the lock: it takes the world's, which others hold when they want ours.
        occupied = self.occupied(place) if operation.name == "DescribeSubnets" else {}
        with self._lock:
            backend = self.backend(operation.service, place)
            if operation.name == "DescribeSubnets":
                self._occupy(place, backend, occupied)
            url = _url(operation, wire, place)
            handler = next(
                (do for pattern, do in backend.urls.items() if re.match(pattern, _bare(url))), None
            )
            if handler is None:
                raise _missing(operation)
            answer = _answer(operation, *_asked(handler, wire, url, place, operation))
            if operation.service == "iam" and not operation.name.startswith(("Get", "List")):
                self.iam_changes += 1
            return answer

    def _occupy(self, place: Place, backend: Any, occupied: Mapping[str, int]) -> None:
        """Let moto's subnets show the addresses that are free besides those of our instances."""
        for group in backend.subnets.values():
            for name, subnet in group.items():
                before, now = self._shown.get((place, name), 0), occupied.get(name, 0)
                subnet._available_ip_addresses += before - now  # noqa: SLF001 - moto has no other way
                self._shown[place, name] = now


def _where(service: str, place: Place) -> Place:
    """Where moto keeps a service's state: that of a global service in the partition."""
    return Place(place.account, "aws") if service in GLOBAL_SERVICES else place


def _unambiguous(operation: Operation, wire: WireRequest) -> WireRequest:
    """A form as its body says it: moto also looks for the operation in headers and query string."""
    if operation.protocol not in {"query", "ec2"}:
        return wire
    headers = {name: value for name, value in wire.headers.items() if name != "x-amz-target"}
    headers["content-type"] = "application/x-www-form-urlencoded"
    return WireRequest("POST", wire.path, "", headers, wire.body or wire.query.encode())


def _at_once(operation: Operation, wire: WireRequest, parameters: Mapping[str, Any]) -> WireRequest:
    """A long poll of SQS as a short one: all else that is moto's would wait for it as well."""
    if (operation.service, operation.name) != ("sqs", "ReceiveMessage"):
        return wire
    body = json.dumps({**parameters, "WaitTimeSeconds": 0}).encode()
    return WireRequest(wire.method, wire.path, wire.query, wire.headers, body)


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
