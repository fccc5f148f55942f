"""docs/simulator.md is true: its examples run, and its tables are those of the code.

This is also the test with the AWS CLI.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.simulated_aws import make_simulator, served

from awsbatch_simulator import seeds
from awsbatch_simulator.__main__ import write_privately
from awsbatch_simulator.faults import WORLD_FAULTS, Effect

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"<!-- example: (?P<kind>\w+) -->\n```\w+\n(?P<code>.*?)```", re.DOTALL)


def examples(kind: str) -> list[str]:
    return [found["code"] for found in EXAMPLE.finditer(PAGE) if found["kind"] == kind]


@pytest.fixture
def shell(tmp_path):
    """Run lines of the page as a user would, against a simulator of this process."""
    simulator = make_simulator()
    bare = {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ready = tmp_path / "ready.json"
    with served(simulator) as url:
        write_privately(
            ready,
            {
                "url": url,
                "region": simulator.place.region,
                "accessKeyId": simulator.key.access_key_id,
                "secretAccessKey": simulator.key.secret_access_key,
                "adminToken": simulator.admin_token,
            },
        )

        def run(lines: str) -> str:
            script = "\n".join(["set -euo pipefail", *examples("setup"), lines])
            done = subprocess.run(
                ["bash", "-c", script],
                env=bare | {"READY": str(ready)},
                capture_output=True,
                text=True,
                timeout=50,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run


def test_every_example_with_curl_runs_as_it_stands(shell):
    lines = [code for code in examples("run") if "curl" in code]
    assert len(lines) >= 5
    printed = shell("\n".join(lines))
    assert '"speed": 10' in printed
    assert '"effect": "drop_after"' in printed


def test_the_aws_cli_works(shell):
    [lines] = [code for code in examples("run") if code.startswith("aws ")]
    printed = shell(lines).strip()
    identity, end = json.JSONDecoder().raw_decode(printed)
    assert identity["Arn"] == "arn:aws:iam::111122223333:user/sandbox"
    assert json.loads(printed[end:]) == {"computeEnvironments": []}


def test_the_example_in_python_runs():
    [code] = examples("python")
    exec(compile(code, "docs/simulator.md", "exec"), {})  # noqa: S102 - our own page


def test_the_page_lists_every_effect_and_every_fault_of_the_world():
    for effect in Effect:
        assert f"| `{effect}` |" in PAGE
    for name, meaning in WORLD_FAULTS.items():
        assert f"| `{name}` | {meaning} |" in PAGE


def test_the_page_names_what_is_there_from_the_start():
    for name in (seeds.VPC_ID, seeds.SECURITY_GROUP_ID, seeds.INSTANCE_PROFILE):
        assert f"`{name}`" in PAGE
    for role in seeds.ROLES:
        assert f"`{role.path}{role.name}`".replace("`/", "`") in PAGE


def test_every_fault_of_the_world_is_asked_for_somewhere_and_no_other():
    asked = set()
    for path in (ROOT / "operator" / "awsbatch_simulator").rglob("*.py"):
        asked |= set(
            re.findall(r'faults\.(?:active|of_world)\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
        )
    assert asked == set(WORLD_FAULTS)
