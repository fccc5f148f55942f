"""A thing of AWS as a model that takes the steps of plans, for tests that they come to an end."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.lasting import ApiCall

TURNS = 9  # more than any spec takes


def note(step: Step[ApiCall]) -> Finding:
    """What the step tells when it is done."""
    assert step.note is not None
    return step.note


def met(step: Step[ApiCall], observed: Any) -> bool:
    """Whether the observation shows what the step expects."""
    assert step.expects is not None
    return step.expects.met(observed)


class Model(ABC):
    """What AWS has, and the annotations of its Kubernetes object.

    A subclass says what AWS shows (`observed`) and what it does (`apply`).
    """

    def __init__(self) -> None:
        self.annotations: dict[str, str] = {}
        self.notes: list[str] = []  # reasons that steps have told

    @abstractmethod
    def observed(self) -> Any:
        """What a look would find; None if AWS has no such thing."""

    @abstractmethod
    def apply(self, call: ApiCall) -> None:
        """Do what AWS does with the call."""

    def take(self, step: Step[ApiCall]) -> None:
        """Take a step. What it expects is not there before, and there afterwards."""
        expects = step.expects
        assert expects is None or not expects.met(self.observed()), step
        self.apply(step.action)
        assert expects is None or expects.met(self.observed()), step
        if step.note is not None:
            self.notes.append(step.note.reason.name)

    def take_all(self, plan: Plan[Any]) -> None:
        """Take the whole plan as the life cycle does: lane by lane, records first.

        Lanes are independent, so AWS is as specified whichever goes first.
        """
        self.annotations |= plan.record
        for steps in reversed(tuple(plan.lanes().values())):
            for step in steps:
                self.annotations |= step.record
                self.take(step)

    def run(self, plan_for: Callable[[], Plan[Any]]) -> Plan[Any]:
        """Take plan after plan until one has nothing to do; that one."""
        for _ in range(TURNS):
            plan = plan_for()
            if not plan.steps and not plan.record:
                return plan
            self.take_all(plan)
        raise AssertionError("it never comes to an end")


class Described(Model):
    """A thing whose detail one Describe call returns, tags and all."""

    def __init__(self) -> None:
        super().__init__()
        self.detail: Any = None

    def apply(self, call: ApiCall) -> None:
        request = call.request
        match call.operation:
            case "TagResource":
                self._tag({**self.detail["tags"], **request["tags"]})
            case "UntagResource":
                kept = {k: v for k, v in self.detail["tags"].items() if k not in request["tagKeys"]}
                self._tag(kept)
            case "DeleteComputeEnvironment" | "DeleteJobQueue":
                assert self.detail["state"] == "DISABLED"
                self.detail = None
            case _:
                raise AssertionError(call)

    def _tag(self, tags: dict[str, str]) -> None:
        self.detail = {**self.detail, "tags": tags}
