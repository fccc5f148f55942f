"""botocore's service models: which operation a request is for, and whether its parameters fit."""

import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, Shape
from botocore.validate import ParamValidator

from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.wire import WireRequest

# Where the name that requests are signed for differs from botocore's name of the service.
SERVICE_BY_SIGNING_NAME = {
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
PROTOCOLS = frozenset({"rest-json", "json", "query", "ec2"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one service."""

    service: str  # botocore's name
    name: str
    protocol: str
    model: OperationModel


@dataclass(frozen=True, slots=True)
class Identified:
    """The operation of a request, and what its path says."""

    operation: Operation
    path_parameters: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Entry:
    """One service's model with its routes and operations, each made once."""

    model: ServiceModel
    protocol: str
    fixed: dict[tuple[str, str], str] = field(default_factory=dict)
    patterns: list[tuple[str, re.Pattern[str], str]] = field(default_factory=list)
    operations: dict[str, Operation] = field(default_factory=dict)


class _Validator(ParamValidator):  # type: ignore[misc]  # botocore is untyped
    """botocore's validator, and what it leaves to AWS of numbers: their size and largest value.

    Whole numbers have 32 or 64 bits, and true is none of them; all others are finite.
    """

    def _validate_integer(self, value: Any, shape: Shape, errors: Any, name: str) -> None:
        bits = 64 if shape.type_name == "long" else 32
        limit = 1 << bits - 1
        least = max(-limit, shape.metadata.get("min", -limit))
        most = min(limit - 1, shape.metadata.get("max", limit - 1))
        if type(value) is not int or not least <= value <= most:
            kinds = [f"whole number of {bits} bits, from {least} to {most}"]
            errors.report(name, "invalid type", param=value, valid_types=kinds)

    _validate_long = _validate_integer

    def _validate_double(self, value: Any, shape: Shape, errors: Any, name: str) -> None:
        if _finite(value):
            super()._validate_double(value, shape, errors, name)
        else:
            errors.report(name, "invalid type", param=value, valid_types=["finite number"])

    _validate_float = _validate_double


def _finite(value: Any) -> bool:
    """Whether it is no number at all, which others complain about, or one that a double can be."""
    try:
        return math.isfinite(value)
    except TypeError:
        return True
    except OverflowError:
        return False


class Models:
    """The service models, loaded when a service is first asked for."""

    def __init__(self) -> None:
        self._loader = Loader()
        self._validator = _Validator()
        self._entries: dict[str, _Entry] = {}

    def service_of(self, signing_name: str) -> str:
        """Botocore's name of the service that a request was signed for."""
        return SERVICE_BY_SIGNING_NAME.get(signing_name, signing_name)

    def protocol_of(self, service: str) -> str:
        """The protocol that a service's clients speak; json for an unknown service."""
        try:
            return self._entry(service).protocol
        except AwsFailure:
            return "json"

    def operation(self, service: str, name: str) -> Operation:
        """An operation by name; raises AwsFailure for one that the model does not have."""
        entry = self._entry(service)
        found = entry.operations.get(name)
        if found is None:
            try:
                model = entry.model.operation_model(name)
            except OperationNotFoundError:
                raise unknown_operation(service, name) from None
            found = entry.operations[name] = Operation(service, name, entry.protocol, model)
        return found

    def identify(self, service: str, wire: WireRequest) -> Identified:
        """Which operation a request is for; raises AwsFailure if none, or none that we speak."""
        match self._entry(service).protocol:
            case "json":
                name = wire.headers.get("x-amz-target", "").rpartition(".")[2]
                return Identified(self.operation(service, name))
            case "rest-json":
                return self._routed(service, wire)
            case "query" | "ec2":
                form = parse_qs(wire.body.decode("utf-8", "replace") or wire.query)
                return Identified(self.operation(service, form.get("Action", [""])[0]))
            case protocol:
                raise not_implemented(service, f"its protocol, {protocol}")

    def invalid(self, operation: Operation, parameters: dict[str, Any]) -> str | None:
        """What is wrong with the parameters by botocore's model, if anything is."""
        shape = operation.model.input_shape
        if shape is None:
            return None
        report = self._validator.validate(parameters, shape)
        text: str | None = report.generate_report() if report.has_errors() else None
        return text

    def _routed(self, service: str, wire: WireRequest) -> Identified:
        """Match on the raw path: a decoded ARN contains slashes."""
        entry = self._entry(service)
        name = entry.fixed.get((wire.method, wire.path))
        if name is not None:
            return Identified(self.operation(service, name))
        for method, pattern, candidate in entry.patterns:
            if method == wire.method and (found := pattern.fullmatch(wire.path)):
                values = {key: unquote(value) for key, value in found.groupdict().items()}
                return Identified(self.operation(service, candidate), values)
        raise unknown_operation(service, f"{wire.method} {wire.path}")

    def _entry(self, service: str) -> _Entry:
        found = self._entries.get(service)
        if found is None:
            found = self._entries[service] = self._load(service)
        return found

    def _load(self, service: str) -> _Entry:
        try:
            description = self._loader.load_service_model(service, "service-2")
        except UnknownServiceError:
            raise not_implemented(service, "this service") from None
        model = ServiceModel(description, service)
        offered = model.metadata.get("protocols", [model.metadata["protocol"]])
        protocol = next((name for name in offered if name in PROTOCOLS), offered[0])
        entry = _Entry(model, protocol)
        if protocol == "rest-json":
            _add_routes(entry, description["operations"])
        return entry


def _add_routes(entry: _Entry, operations: dict[str, Any]) -> None:
    for name, operation in operations.items():
        method, uri = operation["http"]["method"], operation["http"]["requestUri"].split("?")[0]
        if "{" in uri:
            entry.patterns.append((method, _pattern(uri), name))
        else:
            entry.fixed[method, uri] = name


def _pattern(uri: str) -> re.Pattern[str]:
    """`/v1/tags/{resourceArn}` as a pattern for raw paths; `{key+}` may contain slashes."""
    parts = re.split(r"\{(\w+)(\+?)\}", uri)
    text = re.escape(parts[0])
    for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(literal)
    return re.compile(text)


def unknown_operation(service: str, name: str) -> AwsFailure:
    """What AWS answers to an operation that it does not have."""
    return AwsFailure("UnknownOperationException", f"{service} has no operation {name!r}", 404)
