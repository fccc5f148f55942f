"""What is built and installed is what was locked, and who may connect to it is said."""

import re
import tomllib

import pytest
import yaml

from awsbatch_sandbox.paths import REPOSITORY

BASE = REPOSITORY / "deploy" / "base"
REQUIREMENTS = REPOSITORY / "requirements"


def locked(name):
    """{package: (version, number of hashes)} of a lock."""
    found = {}
    for block in re.split(r"\n(?=\S)", (REQUIREMENTS / name).read_text()):
        if match := re.match(r"([\w.-]+)==([\w.]+)", block):
            found[match.group(1)] = (match.group(2), block.count("--hash=sha256:"))
    return found


def document(path):
    (body,) = yaml.safe_load_all(path.read_text())
    return body


@pytest.mark.parametrize("lock", sorted(path.name for path in REQUIREMENTS.glob("*.txt")))
def test_every_locked_package_has_its_hashes(lock):
    packages = locked(lock)
    assert packages
    assert all(hashes for _, hashes in packages.values())


def test_every_list_of_requirements_is_locked_by_make_lock():
    lists = {path.stem for path in REQUIREMENTS.glob("*.in")}
    assert lists == {path.stem for path in REQUIREMENTS.glob("*.txt")}
    (loop,) = re.findall(r"for f in ([\w ]+); do", (REPOSITORY / "Makefile").read_text())
    assert set(loop.split()) == lists


def test_uv_itself_is_installed_by_its_hash():
    makefile = (REPOSITORY / "Makefile").read_text()
    installs = re.findall(r"pip install (.*)", makefile)
    assert installs
    assert all("--require-hashes -r requirements/" in install for install in installs)
    assert locked("uv.txt").keys() == {"uv"}
    assert locked("uv.txt")["uv"][0] == locked("dev.txt")["uv"][0]


def test_kopf_is_pinned_exactly_because_its_inner_modules_are_imported():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (kopf,) = [name for name in project["dependencies"] if name.startswith("kopf")]
    assert kopf == f"kopf=={locked('runtime.txt')['kopf'][0]}"


def test_the_image_is_built_from_one_base_by_digest_that_can_be_replaced():
    text = (REPOSITORY / "Dockerfile").read_text()
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", text, re.MULTILINE)
    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}", base)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert set(bases) == {"${PYTHON_IMAGE}", "scratch"}
    # A frontend named by "# syntax=" would be fetched by its tag.
    assert "syntax=" not in text
    for install in re.findall(r"pip install ([^\n\\]*)", text):
        assert "--require-hashes" in install or "--no-deps dist/" in install


def test_only_labelled_namespaces_reach_the_operators_port():
    policy = document(BASE / "network-policy.yaml")["spec"]
    deployment = document(BASE / "deployment.yaml")["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= deployment["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress"]  # what it connects to itself is not restricted
    (rule,) = policy["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"awsbatch.dev/metrics": "allowed"}}}
    ]
    (container,) = deployment["spec"]["containers"]
    named = {port["name"] for port in container["ports"]}
    assert {port["port"] for port in rule["ports"]} == named == {"http"}


def test_every_file_of_the_base_is_part_of_it():
    listed = set(document(BASE / "kustomization.yaml")["resources"])
    assert listed == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
