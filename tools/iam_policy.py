"""Write the operator's IAM policy and its table from the calls that the operator makes.

Without arguments it writes deploy/iam/; with --check it says what would differ, and fails if
anything does.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from awsbatch_operator.aws import capacity_calls, image_calls
from awsbatch_operator.aws.call_table import CALLS, FOREIGN_QUEUES
from awsbatch_operator.aws.calls import CLUSTER_ID, Call, Condition, Permission

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "iam"
REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"

README = FOLDER.parent.parent / "tools" / "heads" / "iam.md"
_TAGGED = ("arn:aws:batch:", "arn:aws:ec2:", "arn:aws:ecs:")
# What people add to: these statements have names. Of the others, a name would cost a managed policy
# the characters that a long cluster id needs.
_NAMED = {"IamPassRole", "LogsGetLogEvents", "SqsDeleteMessage", "SsmGetParameter", "StsAssumeRole"}


@dataclass(frozen=True, slots=True)
class Grant:
    """An action with everything that the calls together need it for."""

    action: str
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]


def grants(calls: Iterable[Call]) -> list[Grant]:
    """One grant an action and condition keys, with resources and values of all calls."""
    together: dict[tuple[str, tuple[tuple[str, str], ...]], list[Permission]] = defaultdict(list)
    for call in calls:
        for permission in call.permissions:
            keys = tuple((condition.test, condition.key) for condition in permission.conditions)
            together[(permission.action, keys)].append(permission)
    made = []
    for (action, keys), permissions in sorted(together.items()):
        resources = {name for permission in permissions for name in permission.resources}
        joined = tuple(
            Condition(test, key, _values(permissions, place))
            for place, (test, key) in enumerate(keys)
        )
        made.append(Grant(action, tuple(sorted(resources)), joined))
    return made


def _values(permissions: Iterable[Permission], place: int) -> tuple[str, ...]:
    found = {value for one in permissions for value in one.conditions[place].values}
    return tuple(sorted(found))


def policy(calls: Iterable[Call]) -> dict[str, Any]:
    """The policy document: a statement for each set of resources and conditions."""
    statements: dict[tuple[tuple[str, ...], tuple[Condition, ...]], list[str]] = defaultdict(list)
    for grant in grants(calls):
        statements[(grant.resources, grant.conditions)].append(grant.action)
    ordered = sorted(statements.items(), key=lambda item: (item[1], item[0][0]))
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement(actions, resources, conditions)
            for (resources, conditions), actions in ordered
        ],
    }


def _statement(
    actions: list[str],
    resources: tuple[str, ...],
    conditions: tuple[Condition, ...],
) -> dict[str, object]:
    service, _, first = actions[0].partition(":")
    name = f"{service.title()}{first}"
    made: dict[str, object] = {
        **({"Sid": name} if name in _NAMED else {}),
        "Effect": "Allow",
        "Action": actions,
        "Resource": list(resources) if resources != ("*",) else "*",
    }
    tests: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for condition in conditions:
        tests[condition.test][condition.key] = list(condition.values)
    if tests:
        made["Condition"] = dict(tests)
    return made


def table(calls: Iterable[Call]) -> str:
    """The rows of the README's table."""
    return "\n".join(
        f"| `{call.name}` | {'yes' if call.mutating else 'no'} | {_needs(call)} "
        f"| {', '.join(f'`{method}`' for method in call.methods)} | {_source(call.source)} |"
        for call in sorted(calls, key=lambda call: call.name)
    )


def _needs(call: Call) -> str:
    """The actions of a call, each with what its conditions mean and on which types of things."""
    needed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for permission in call.permissions:
        needed[(permission.action, _meaning(permission))] += [
            resource.rpartition(":")[2].partition("/")[0]
            for resource in permission.resources
            if resource.startswith(_TAGGED)
        ]
    return (
        ", ".join(
            f"`{action}`" + (f" on {' and '.join(dict.fromkeys(types))}" if types else "") + meaning
            for (action, meaning), types in needed.items()
        )
        or "nothing"
    )


def _meaning(permission: Permission) -> str:
    keys = {condition.key.partition("/")[0] for condition in permission.conditions}
    if "aws:RequestTag" in keys:
        return " **with our tag**"
    return " **of ours**" if "aws:ResourceTag" in keys else ""


def _source(text: str) -> str:
    """The source with its page linked."""
    page, _, more = text.partition("; ")
    return f"[{page.removesuffix('.html')}]({REFERENCE}{page})" + (f", {more}" if more else "")


def calls_of(part: str) -> list[Call]:
    """The calls that one document allows; those of images need some of capacity's as well."""
    if part not in image_calls.PARTS:
        return [call for call in CALLS if call.part == part]
    shared = image_calls.SHARED.get(part, frozenset())
    return [_of_images(call, part) for call in CALLS if call.part == part or call.name in shared]


def _of_images(call: Call, part: str) -> Call:
    """The call without what images do not need, or have by the core already."""
    unused = set(image_calls.NOT_FOR_IMAGES)
    unused |= set() if part == image_calls.PART else image_calls.SHARED[image_calls.PART]
    return replace(call, permissions=tuple(p for p in call.permissions if p.action not in unused))


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def files() -> dict[Path, str]:
    """What stands in deploy/iam/."""
    capacity = [call for call in CALLS if call.part == capacity_calls.PART]
    images = {part: [call for call in CALLS if call.part == part] for part in image_calls.PARTS}
    rest = [call for call in CALLS if call.part not in {capacity_calls.PART, *images}]
    listening = [call for call in CALLS if call.service == "sqs"]
    shared = image_calls.SHARED
    readme = README.read_text(encoding="utf-8").format(
        rows=table(rest),
        capacity_rows=table(capacity),
        image_rows=table(images[image_calls.PART]),
        verify_rows=table(images[image_calls.VERIFY]),
        copies_rows=table(images[image_calls.COPIES]),
        publish_rows=table(images[image_calls.PUBLISH]),
        image_shared=_words(shared[image_calls.PART]),
        verify_shared=_words(shared[image_calls.VERIFY]),
        cluster_id=CLUSTER_ID,
    )
    return {
        **{
            FOLDER / f"{part}-policy.json": json.dumps(policy(calls_of(part)), indent=2) + "\n"
            for part in sorted({call.part for call in CALLS})
        },
        FOLDER / "foreign-queues-policy.json": json.dumps(policy([FOREIGN_QUEUES]), indent=2)
        + "\n",
        FOLDER / "image-adoption-policy.json": json.dumps(
            policy([image_calls.ADOPTED_IMAGES]), indent=2
        )
        + "\n",
        FOLDER / "event-queue-policy.json": json.dumps(policy(listening), indent=2) + "\n",
        FOLDER / "README.md": readme,
    }


def main(arguments: list[str]) -> int:
    """Write the files, or with --check compare them."""
    wrong = 0
    for path, text in files().items():
        name = path.relative_to(FOLDER.parent.parent)
        if "--check" in arguments:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"{name} is not what aws/call_table.py says; run: make reference")
                wrong = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
