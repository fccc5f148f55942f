"""What pages and messages tell people to type, or to look for, is there: else they are stale.

Commands of kubectl and of AWS's command line, flags, annotations and tags, reasons. Fields of pages
are in test_fields_in_pages.py.
"""

import argparse
import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import botocore.session
import yaml
from botocore import xform_name
from tests.unit.test_fields_in_pages import exists
from tools.links import ROOT, outside_fences, pages

from awsbatch_operator.api import catalogue, conditions, metadata, tags
from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.command_line import parser
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.kinds.batchjob.failure_causes import Failure

CODE = ROOT / "operator" / "awsbatch_operator"
NOTES = ROOT / "deploy/charts/aws-batch-operator/templates/NOTES.txt"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in pages()
    if path.parent != ROOT / "docs" / "api"
}
# Of kubectl, of Helm and of the site's builder, where a sentence says that it is theirs.
THEIRS = {"--wait", "--for", "--take-ownership", "--strict"}
IN_PARTS = {"--replicas", "--no-block"}  # of commands that stand in two parts of a message
# Kinds of Kubernetes, and those of others on the pages about them.
KUBERNETES = {"configmap", "job", "lease", "namespace", "pods", "secret"}
FLUX_AND_CROSSPLANE = {"kustomization", "managed"}
CROSSPLANES = {f"computeenvironments.batch.aws.{each}upbound.io" for each in ("", "m.")}
MADE_OF_SEVERAL = {("cloudformation", "deploy")}  # by the command line, of several operations
OF_ANY_CALL = {"--query", "--output", "--region", "--cli-input-json"}


def messages() -> Iterator[tuple[str, str]]:
    """The texts of the operator's code that are sentences, with their places; no docstrings."""
    for path in sorted(CODE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        about = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for each in ast.walk(tree):
            if not isinstance(each, ast.Constant) or id(each) in about:
                continue
            if isinstance(each.value, str) and each.value.count(" ") > 2:
                yield f"{path.relative_to(ROOT)}:{each.lineno}", each.value


MESSAGES = [(place, text) for place, text in messages() if "\n" not in text]  # no scripts


def flags() -> dict[str, set[str]]:
    """The flags of each command of the operator."""
    actions = parser()._actions
    [commands] = [each for each in actions if isinstance(each, argparse._SubParsersAction)]
    return {name: set(each._option_string_actions) for name, each in commands.choices.items()}


FLAGS = flags()
OURS = set().union(*FLAGS.values())


def wrong(
    find: Callable[[str], Iterable[str]], texts: Iterable[tuple[str, str]] = PAGES.items()
) -> list[str]:
    """What a rule finds in texts, each with its place."""
    return [f"{place}: {each}" for place, text in texts for each in sorted(find(text))]


def typed(text: str) -> list[str]:
    """What blocks of a page have after a prompt, a command a line whatever lines it takes."""
    return re.findall(r"^\s*\$ (.+)$", text.replace("\\\n", " "), re.MULTILINE)


@cache
def operations(service: str) -> dict[str, tuple[set[str], set[str]]]:
    """The flags of each operation as the command line makes them of AWS's model, and the needed."""
    model = botocore.session.Session().get_service_model(service)
    found = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        members = [xform_name(each, "-") for each in (shape.members if shape else ())]
        flags = {f"--{no}{each}" for each in members for no in ("", "no-")}
        needed = {
            f"--{xform_name(each, '-')}" for each in (shape.required_members if shape else ())
        }
        found[xform_name(name, "-")] = flags, needed
    return found


def not_of_aws(text: str) -> Iterator[str]:
    """Calls of AWS's command line for which there is no operation or parameter."""
    text = text.replace("\\\n", " ")
    calls = re.findall(r"(?<![\w/-])aws ([a-z0-9-]+) ([a-z]+-[a-z-]+|deploy)\b([^\n`(|]*)", text)
    for service, name, rest in calls:
        if (service, name) in MADE_OF_SEVERAL:
            continue
        if name not in operations(service):
            yield f"aws {service} {name}"
            continue
        known, needed = operations(service)[name]
        given = set(re.findall(r"(?<= )--[a-z][a-z-]+", rest))
        yield from (f"aws {service} {name} {each}" for each in given - OF_ANY_CALL - known)
        if given and "--cli-input-json" not in given:  # else a sentence only says its name
            yield from (f"aws {service} {name} lacks {each}" for each in needed - given)


def marks() -> set[str]:
    """All that carries the group's name: annotations, tags in AWS, a label of namespaces."""
    values = [each for one in (metadata, tags) for each in vars(one).values()]
    known = {each for each in values if isinstance(each, str) and each.startswith(f"{GROUP}/")}
    return known | {f"{GROUP}/metrics", f"{GROUP}/operator"}


def unknown_marks(text: str) -> set[str]:
    # Not the version of the API, and not an object as kubectl prints it.
    return set(re.findall(rf"(?<!\w\.)\b{GROUP}/(?!v\d)[a-z-]+[a-z]", text)) - marks()


LOGS_OF_ONE = re.compile(r"kubectl logs .*\bdeploy(?:ment)?/\S*")


def own_namespaces(text: str) -> set[str]:
    """Where commands of kubectl and Helm look for the operator; "" where they do not say it."""
    named = re.compile(r"(?:kubectl|helm) .* (\w+/)?aws-batch-operator\b")
    own = [each for each in typed(text) if named.match(each)]
    return {name for each in own for name in re.findall(r" -n (\S+)", each) or [""]}


class TestFlags:
    def test_one_that_a_sentence_names_is_of_the_operator(self):
        def unknown(text: str) -> set[str]:
            return set(re.findall(r"`(--[a-z][a-z-]+)", outside_fences(text))) - OURS - THEIRS

        others = {"docs/simulator.md"}  # which is about flags of another program
        assert wrong(unknown, [each for each in PAGES.items() if each[0] not in others]) == []

    def test_one_that_a_message_names_is_of_the_operator_or_of_the_command_there(self):
        def unknown(text: str) -> set[str]:
            ours = re.sub(r"\b(aws [a-z0-9]+|kubectl) .*", "", text)
            return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+[a-z]", ours)) - OURS - IN_PARTS

        places = [each for each in MESSAGES if "generate.py" not in each[0]]
        assert wrong(unknown, places) == []

    def test_the_operator_is_called_by_its_name_with_flags_that_the_command_has(self):
        def unknown(text: str) -> Iterator[str]:
            yield from re.findall(r"python -m awsbatch_operator [a-z]\w+", text)
            for name, rest in re.findall(r"\baws-batch-operator ([a-z]+)((?: --?\w\S*)+)", text):
                given = set(re.findall(r"--[a-z-]+[a-z]", rest))
                if name in FLAGS:  # else something has the same name: a Deployment, a release
                    yield from given - FLAGS[name]

        assert wrong(unknown) == []
        assert wrong(unknown, MESSAGES) == []


class TestNames:
    def test_annotations_tags_and_labels_exist(self):
        assert wrong(unknown_marks) == []
        assert wrong(unknown_marks, MESSAGES) == []

    def test_reasons_and_conditions_are_in_the_catalogue(self):
        known = {each.name for each in catalogue.reasons()} | conditions.TYPES
        known |= {each.value for each in Failure} | {"True", "False"}
        before = r"(?:[Rr]easons?|[Ee]vents?|[Cc]onditions?|Stalled`?,|Reconciling`?,)"

        def unknown(text: str) -> set[str]:
            return set(re.findall(rf"{before} `([A-Z]\w+)`", " ".join(text.split()))) - known

        assert wrong(unknown) == []

    def test_fields_of_messages_are_in_a_crd(self):
        def fields(text: str) -> list[str]:
            found = re.findall(r"\b((?:spec|status)(?:\.[a-z]\w*(?:\[\w*\])?)+)", text)
            return [each for each in found if not each.endswith((".py", ".json"))]

        assert len(wrong(fields, MESSAGES)) > 60
        assert wrong(lambda text: {f for f in fields(text) if not exists(f)}, MESSAGES) == []


class TestKubectl:
    def test_resources_are_those_that_there_are(self):
        known = {"awsbatch"} | KUBERNETES | FLUX_AND_CROSSPLANE | CROSSPLANES
        for each in RESOURCES:
            crd = (ROOT / "crds" / f"{GROUP}_{each.plural}.yaml").read_text()
            names = yaml.load(crd, yaml.CSafeLoader)["spec"]["names"]
            known |= {names["plural"], names["singular"], *names["shortNames"]}

        def unknown(text: str) -> set[str]:
            verbs = r"\bkubectl (?:get|describe|delete|patch|annotate|label|wait)"
            named = re.findall(rf"{verbs}(?: -n \S+| --for=[^\s`]+)* ([a-z][\w.,/-]*\w)", text)
            return {each.partition("/")[0] for one in named for each in one.split(",")} - known

        assert wrong(unknown) == []

    def test_what_is_waited_for_is_a_condition_and_has_its_time(self):
        """By itself kubectl gives up after 30 s, which an instance, an image, a Job outlives."""

        def endless(text: str) -> list[str]:
            waits = [each for each in typed(text) if each.startswith("kubectl wait ")]
            return [each for each in waits if " --timeout=" not in each]

        known = {each.lower() for each in conditions.TYPES}
        assert wrong(endless) == []
        assert wrong(lambda t: set(re.findall(r"--for=condition=(\w+)", t)) - known) == []

    def test_crds_are_applied_by_the_server(self):
        def otherwise(text: str) -> list[str]:
            applied = [each for each in typed(text) if re.match(r"kubectl apply .*/crds\b", each)]
            return [each for each in applied if " --server-side" not in each]

        assert wrong(otherwise) == []

    def test_logs_are_those_of_all_replicas(self):
        """Of a Deployment, kubectl takes the logs of one pod: perhaps not of the one that leads."""
        texts = [*PAGES.items(), ("NOTES.txt", NOTES.read_text())]
        assert wrong(LOGS_OF_ONE.findall, texts) == []
        assert (
            len(LOGS_OF_ONE.findall("kubectl logs deploy/a\nkubectl logs -n b deployment/a")) == 2
        )

    def test_the_operator_is_in_the_namespace_that_it_is_installed_in(self):
        """A command without a namespace looks in another one, in which there is no operator."""
        assert {each.rpartition(": ")[2] for each in wrong(own_namespaces)} == {"awsbatch-system"}
        assert own_namespaces("$ kubectl rollout status deployment/aws-batch-operator") == {""}


class TestCallsOfAws:
    def test_each_has_an_operation_and_its_parameters(self):
        assert wrong(not_of_aws) == []
        # Parts of a message stand between values, so what one lacks another may have.
        told = wrong(not_of_aws, MESSAGES)
        assert [each for each in told if " lacks " not in each] == []

    def test_what_there_is_not_is_told(self):
        assert [*not_of_aws("aws batch describe-queues x")] == ["aws batch describe-queues"]
        assert [*not_of_aws("`aws ec2 describe-images \\\n --ids a`")] == [
            "aws ec2 describe-images --ids"
        ]
        one = "aws ec2 modify-instance-attribute --no-disable-api-termination"
        assert [*not_of_aws(one)] == ["aws ec2 modify-instance-attribute lacks --instance-id"]
        assert [*not_of_aws(f"{one} --instance-id ID")] == []


def test_what_is_looked_for_is_found():
    assert typed("$ kubectl a \\\n    b\nout\n") == ["kubectl a      b"]
    assert unknown_marks(f"{GROUP}/v1alpha1 batchjob.{GROUP}/x {GROUP}/paused {GROUP}/pausd") == {
        f"{GROUP}/pausd"
    }
    assert len([each for text in PAGES.values() for each in typed(text)]) > 100
