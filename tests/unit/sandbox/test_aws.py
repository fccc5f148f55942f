import json
import os
import subprocess

import pytest

from awsbatch_sandbox.aws import SimulatedAws

READY = {
    "url": "http://127.0.0.1:4566",
    "region": "eu-central-1",
    "accessKeyId": "AKIAEXAMPLE",
    "secretAccessKey": "quote'and $dollar",
    "adminToken": "token",
    "more": "is ignored",
}


@pytest.fixture
def aws(tmp_path):
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(READY))
    return SimulatedAws.read(path)


def test_a_shell_that_sources_the_lines_reaches_the_simulator_and_nothing_else(aws, tmp_path):
    (tmp_path / "aws.env").write_text(aws.shell_lines())
    sourced = subprocess.run(
        ["bash", "-c", f". {tmp_path}/aws.env; env"],
        env={"PATH": os.environ["PATH"], "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "old"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:4566" in sourced
    assert "AWS_REGION=eu-central-1" in sourced
    assert "AWS_ACCESS_KEY_ID=AKIAEXAMPLE" in sourced
    assert "AWS_SECRET_ACCESS_KEY=quote'and $dollar" in sourced
    assert not [line for line in sourced if "production" in line or "old" in line]


def test_configuration_files_and_the_metadata_service_take_no_part(aws):
    environment = aws.environment()
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
