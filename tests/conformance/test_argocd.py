"""The health scripts for Argo CD, over their own test data and in the way in which it runs them."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.argocd import FOLDER, SCRIPTS, STATUSES, Script, script_of
from tests.support.one_process import definitions

from awsbatch_operator.api.metadata import API_VERSION, GROUP
from awsbatch_operator.assembly import KINDS

INSTALLED = FOLDER / "argocd-cm.yaml"
HEADER = """\
# For Argo CD: kubectl patch configmap argocd-cm --namespace=argocd --patch-file=argocd-cm.yaml
# Made from resource_customizations; a test says when it differs.
"""


def cases() -> list[Any]:
    """What the files beside the scripts say, in Argo CD's own format."""
    found = []
    for kind in KINDS:
        folder = SCRIPTS / GROUP / kind
        listed = yaml.safe_load((folder / "health_test.yaml").read_text(encoding="utf-8"))
        for case in listed["tests"]:
            path = folder / case["inputPath"]
            name = f"{kind}-{path.stem}"
            found.append(pytest.param(kind, path, case["healthStatus"], id=name))
    return found


@pytest.mark.parametrize(("kind", "path", "wanted"), cases())
def test_a_script_judges_its_test_data_as_the_file_beside_it_says(kind, path, wanted):
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = script_of(kind).judge(body)
    assert {"status": found.status, "message": found.message} == wanted
    assert found.status in STATUSES
    assert (body["apiVersion"], body["kind"]) == (API_VERSION, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_test_data_of_a_kind_is_of_its_schema_and_all_of_it_is_used(kind):
    folder = SCRIPTS / GROUP / kind
    [schema] = [each for each in definitions() if each.kind == kind]
    for path in (folder / "testdata").iterdir():
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert schema.undeclared("spec", body["spec"]) == []
        assert schema.undeclared("status", body.get("status", {})) == []
    listed = yaml.safe_load((folder / "health_test.yaml").read_text(encoding="utf-8"))
    used = {case["inputPath"] for case in listed["tests"]}
    assert used == {f"testdata/{path.name}" for path in (folder / "testdata").iterdir()}


def test_the_folders_are_those_of_the_kinds_and_their_scripts_are_one():
    assert sorted(path.name for path in (SCRIPTS / GROUP).iterdir()) == sorted(KINDS)
    texts = {(SCRIPTS / GROUP / kind / "health.lua").read_text(encoding="utf-8") for kind in KINDS}
    assert len(texts) == 1


class _Block(str):
    """Written as a block of lines."""

    __slots__ = ()


def _as_block(dumper: yaml.SafeDumper, text: _Block) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


_Dumper.add_representer(_Block, _as_block)


def actions_of(kind: str) -> str:
    """The value of a kind's key in argocd-cm, which is YAML in a text."""
    folder = SCRIPTS / GROUP / kind / "actions"

    def script(path: Path) -> _Block:
        return _Block(path.read_text(encoding="utf-8"))

    defined = [
        {"name": path.parent.name, "action.lua": script(path)}
        for path in sorted(folder.glob("*/action.lua"))
    ]
    body = {"discovery.lua": script(folder / "discovery.lua"), "definitions": defined}
    return yaml.dump(body, Dumper=_Dumper, sort_keys=False)


def test_what_is_installed_is_what_was_tested():
    """GOLDEN=write writes it anew."""
    scripts = {
        f"resource.customizations.health.{GROUP}_{kind}": _Block(
            (SCRIPTS / GROUP / kind / "health.lua").read_text(encoding="utf-8")
        )
        for kind in KINDS
    }
    scripts |= {
        f"resource.customizations.actions.{GROUP}_{kind}": _Block(actions_of(kind))
        for kind in KINDS
    }
    text = HEADER + yaml.dump({"data": scripts}, Dumper=_Dumper)
    if os.environ.get("GOLDEN") == "write":
        INSTALLED.write_text(text, encoding="utf-8")
    assert INSTALLED.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "call",
    [
        "string.find('a', 'a')",
        "('a'):upper()",
        "math.floor(1)",
        "os.time()",
        "io.open('/etc/passwd')",
        "require('os')",
        "python.eval('1')",
    ],
)
def test_what_argo_cd_does_not_offer_is_not_there_to_the_scripts(call):
    broken = Script(f"return {{ status = 'Healthy', message = tostring({call}) }}")
    with pytest.raises(Exception, match=r"attempt to (index|call)"):
        broken.judge({"metadata": {"generation": 1}})
