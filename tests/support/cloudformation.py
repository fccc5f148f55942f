"""As much of CloudFormation as deploy/iam/roles uses: a template's roles, made in IAM."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_NO_VALUE = object()
_SHORT = ("Sub", "Ref", "GetAtt", "If", "Not", "Equals", "Join")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, each as a mapping {tag: argument}."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
    raise AssertionError(f"!{suffix} of a mapping is not used here")


_Loader.add_multi_constructor("!", _tagged)


@dataclass(frozen=True)
class Stack:
    """A template with its parameters, in an account. Parameters are those that differ."""

    body: Mapping[str, Any]
    account: str
    given: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, account: str, **given: Any) -> "Stack":
        return cls(yaml.load(path.read_text(), _Loader), account, given)  # noqa: S506 - a safe one

    def properties(self, name: str) -> dict[str, Any]:
        """A resource's properties, resolved."""
        return dict(self.resolved(self.body["Resources"][name]["Properties"]))

    def names(self, kind: str) -> list[str]:
        """The logical ids of a type's resources, such as AWS::IAM::Role."""
        found = self.body["Resources"].items()
        return [name for name, resource in found if resource["Type"] == kind]

    def output(self, name: str) -> str:
        return str(self.resolved(self.body["Outputs"][name]["Value"]))

    def resolved(self, value: Any) -> Any:
        match value:
            case dict() if len(value) == 1 and next(iter(value)) in _SHORT:
                ((tag, argument),) = value.items()
                return self._intrinsic(tag, argument)
            case dict():
                found = {name: self.resolved(each) for name, each in value.items()}
                return {name: each for name, each in found.items() if each is not _NO_VALUE}
            case list():
                return [self.resolved(each) for each in value]
        return value

    def _intrinsic(self, tag: str, argument: Any) -> Any:
        match tag:
            case "Ref":
                return self._ref(argument)
            case "GetAtt":
                resource, _, attribute = argument.partition(".")
                assert attribute == "Arn"
                return self._arn(resource)
            case "Sub":
                return re.sub(r"\$\{([\w:]+)\}", lambda m: str(self._ref(m[1])), argument)
            case "If":
                name, yes, no = argument
                return self.resolved(yes if self.resolved(self.body["Conditions"][name]) else no)
            case "Not":
                return not self.resolved(argument[0])
            case "Equals":
                return self.resolved(argument[0]) == self.resolved(argument[1])
            case _:
                glue, parts = argument
                return glue.join(self.resolved(parts))

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.body["Parameters"]:
            parameter = self.body["Parameters"][name]
            value = self.given.get(name, parameter["Default"])
            return value.split(",") if parameter["Type"] == "CommaDelimitedList" else value
        return self._arn(name).rpartition("/")[2]

    def _arn(self, name: str) -> str:
        resource = self.body["Resources"][name]
        kind, field = {
            "AWS::IAM::Role": ("role", "RoleName"),
            "AWS::IAM::InstanceProfile": ("instance-profile", "InstanceProfileName"),
        }[resource["Type"]]
        named = self.resolved(resource["Properties"][field])
        return f"arn:aws:iam::{self.account}:{kind}/{named}"


def create(stack: Stack, iam: Any, *, without: str = "") -> None:
    """Make the template's roles and profiles, but for one. AWS's own policies are not attached."""
    for name in stack.names("AWS::IAM::Role"):
        if name != without:
            _create_role(stack.properties(name), iam)
    for name in stack.names("AWS::IAM::InstanceProfile"):
        if name != without:
            create_profile(stack, iam, name)


def _create_role(wanted: Mapping[str, Any], iam: Any) -> None:
    trust = json.dumps(wanted["AssumeRolePolicyDocument"])
    iam.create_role(RoleName=wanted["RoleName"], AssumeRolePolicyDocument=trust)
    for policy in wanted.get("Policies", ()):
        iam.put_role_policy(
            RoleName=wanted["RoleName"],
            PolicyName=policy["PolicyName"],
            PolicyDocument=json.dumps(policy["PolicyDocument"]),
        )


def create_one(stack: Stack, iam: Any, name: str) -> None:
    """Make one of the template's resources that was left out."""
    if name in stack.names("AWS::IAM::Role"):
        _create_role(stack.properties(name), iam)
    else:
        create_profile(stack, iam, name)


def create_profile(stack: Stack, iam: Any, name: str) -> None:
    wanted = stack.properties(name)
    profile = wanted["InstanceProfileName"]
    iam.create_instance_profile(InstanceProfileName=profile)
    for role in wanted["Roles"]:
        iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
