"""deploy/overlays/simulator: a trial that runs nothing and reaches nobody."""

import json
import re

import pytest
import yaml

from awsbatch_sandbox.paths import REPOSITORY
from awsbatch_simulator.__main__ import _parser
from awsbatch_simulator.given import ACCESS_KEY_ID, SECRET, GivenSecrets, check_reach, with_file
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.settings import JobRunner, Settings

OVERLAY = REPOSITORY / "deploy" / "overlays" / "simulator"
BASE = REPOSITORY / "deploy" / "base"


def documents(name, folder=OVERLAY):
    return list(yaml.safe_load_all((folder / name).read_text()))


@pytest.fixture(scope="module")
def deployment():
    return documents("simulator.yaml")[0]


@pytest.fixture(scope="module")
def pod(deployment):
    return deployment["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    (only,) = pod["containers"]
    return only


@pytest.fixture(scope="module")
def options(container):
    """The command line, as the simulator reads it."""
    return _parser().parse_args(container["args"])


def test_the_simulator_takes_its_command_line_and_its_settings(options):
    settings = Settings(
        job_runner=JobRunner(options.job_runner),
        hosts=Hosts(user_data=UserDataMode(options.user_data)),
    )
    settings = with_file(settings, OVERLAY / "settings.json")
    check_reach(options.listen, settings, GivenSecrets("", "", ""))
    assert settings.job_runner is JobRunner.SCRIPT
    assert settings.hosts.user_data is UserDataMode.INTERPRET
    assert (
        "no command was run"
        in json.loads((OVERLAY / "settings.json").read_text())["jobScripts"][0]["output"][0]
    )


def test_it_has_no_token_of_the_cluster_and_runs_under_the_restricted_profile(pod, container):
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_key_and_token_come_from_a_secret_of_the_users_own(pod, container, options):
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    secret = volumes[mounts[str(options.secrets)]]["secret"]["secretName"]
    assert mounts[str(options.settings.parent)] == "settings"
    text = (OVERLAY / "kustomization.yaml").read_text()
    assert f"create secret generic {secret}" in text
    assert "secretGenerator" not in text  # a key in Git is nobody's own
    (operator,) = documents("operator.yaml")
    (patched,) = operator["spec"]["template"]["spec"]["containers"]
    read = {
        each["name"]: each["valueFrom"]["secretKeyRef"]
        for each in patched["env"]
        if "valueFrom" in each
    }
    assert read == {
        "AWS_ACCESS_KEY_ID": {"name": secret, "key": "access-key-id"},
        "AWS_SECRET_ACCESS_KEY": {"name": secret, "key": "secret-access-key"},
    }


def test_the_command_in_the_overlay_makes_a_secret_that_the_simulator_takes():
    text = (OVERLAY / "kustomization.yaml").read_text()
    made = dict(re.findall(r'--from-literal=([\w-]+)="(.*?)"', text))
    assert made.keys() == {"access-key-id", "secret-access-key", "admin-token"}
    sizes = {
        name: (prefix, letters, int(count))
        for name, value in made.items()
        for prefix, letters, count in re.findall(r"^(\w*)\$\(random (\S+) (\d+)\)$", value)
    }
    for name, (prefix, letters, count) in sizes.items():
        last = letters[-1]  # the last of the last range
        form = ACCESS_KEY_ID if name == "access-key-id" else SECRET
        assert form.fullmatch(prefix + last * count)
    assert sizes.keys() == made.keys()


def test_only_the_operator_reaches_it_and_it_reaches_nobody(deployment, container):
    (policy,) = documents("network-policy.yaml")
    spec = policy["spec"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"] == labels
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    assert spec["egress"] == []
    (rule,) = spec["ingress"]
    (operator,) = documents("deployment.yaml", BASE)
    (source,) = rule["from"]
    assert source == {"podSelector": operator["spec"]["selector"]}
    assert {each["port"] for each in rule["ports"]} == {each["name"] for each in container["ports"]}


def test_the_operator_asks_it_under_a_name_that_it_answers_to(options, container):
    (operator,) = documents("operator.yaml")
    (patched,) = operator["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each.get("value") for each in patched["env"]}
    host, _, port = given["AWS_ENDPOINT_URL"].removeprefix("http://").partition(":")
    service = documents("simulator.yaml")[1]
    place = service["metadata"]
    assert host == f"{place['name']}.{place['namespace']}.svc"
    assert host in options.allowed_host
    (listened,) = service["spec"]["ports"]
    assert int(port) == listened["port"] == options.port == container["ports"][0]["containerPort"]
    assert listened["targetPort"] == container["ports"][0]["name"]
    # Nothing else may lead it to real AWS.
    assert given["AWS_EC2_METADATA_DISABLED"] == "true"
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_every_file_of_the_overlay_is_part_of_it():
    (kustomization,) = documents("kustomization.yaml")
    listed = {*kustomization["resources"], *(each["path"] for each in kustomization["patches"])}
    listed |= {
        name for each in kustomization["configMapGenerator"] for name in each.get("files", ())
    }
    there = {path.name for path in OVERLAY.iterdir()} - {"kustomization.yaml"}
    assert there <= listed
