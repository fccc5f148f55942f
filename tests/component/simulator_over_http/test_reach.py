"""A simulator that others than this machine's processes reach, as in a cluster."""

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from tests.support.deadline import wait_until
from tests.support.simulated_aws import make_simulator, request

from awsbatch_simulator.__main__ import _built, _parser
from awsbatch_simulator.given import GivenSecrets, RefusedStartError, check_reach, with_file
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.listening import on_all_addresses
from awsbatch_simulator.server import Server, serving
from awsbatch_simulator.settings import JobRunner, Settings

ROOT = Path(__file__).resolve().parents[3]
KEY, SECRET, TOKEN = "AKIAABCDEFGHIJKLMNOP", "s" * 40, "t" * 64
GIVEN = GivenSecrets(KEY, SECRET, TOKEN)
HARMLESS = Settings(hosts=Hosts(user_data=UserDataMode.INTERPRET))


@pytest.fixture
def secrets(tmp_path):
    """A mounted Secret."""
    for name, text in (
        ("access-key-id", KEY),
        ("secret-access-key", SECRET),
        ("admin-token", f"{TOKEN}\n"),  # as an editor leaves it
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_key_and_token_are_those_of_the_secret(secrets):
    assert GivenSecrets.read(secrets) == GIVEN


@pytest.mark.parametrize("text", ["", "REPLACE_ME", "a key", "akiaabcdefghijklmnop"])
@pytest.mark.parametrize("name", ["access-key-id", "secret-access-key", "admin-token"])
def test_a_secret_that_could_be_guessed_is_refused(secrets, name, text):
    (secrets / name).write_text(text)
    with pytest.raises(RefusedStartError, match=name):
        GivenSecrets.read(secrets)


def test_a_secret_that_lacks_a_file_is_refused(secrets):
    (secrets / "admin-token").unlink()
    with pytest.raises(RefusedStartError, match="admin-token"):
        GivenSecrets.read(secrets)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_on_the_loopback_anything_goes(host):
    check_reach(host, Settings(job_runner=JobRunner.PROCESS), None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "localhost"])  # noqa: S104
@pytest.mark.parametrize(
    ("settings", "given", "remedy"),
    [
        (HARMLESS.model_copy(update={"job_runner": JobRunner.PROCESS}), GIVEN, "script runner"),
        (Settings(), GIVEN, "--user-data interpret"),
        (HARMLESS, None, "--secrets"),
    ],
    ids=["jobs", "user data", "unknown key"],
)
def test_beyond_it_nothing_is_run_and_the_key_is_known(host, settings, given, remedy):
    check_reach(host, HARMLESS, GIVEN)
    with pytest.raises(RefusedStartError, match=remedy):
        check_reach(host, settings, given)


def test_the_command_line_is_held_to_it_and_so_is_a_file_of_settings(tmp_path, secrets):
    beyond = ["--listen", "0.0.0.0", "--secrets", str(secrets)]  # noqa: S104
    with pytest.raises(RefusedStartError, match="--user-data interpret"):
        _built(_parser().parse_args(beyond))
    file = tmp_path / "settings.json"
    file.write_text('{"jobRunner": "process"}')
    options = [*beyond, "--user-data", "interpret", "--settings", str(file)]
    with pytest.raises(RefusedStartError, match="script runner"):
        _built(_parser().parse_args(options))


def test_a_file_of_settings_is_a_merge_patch_and_a_wrong_one_is_refused(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"speed": 5, "delays": {"jobStarting": 1}}))
    changed = with_file(Settings(), file)
    assert (changed.speed, changed.delays.job_starting) == (5, 1)
    assert changed.delays.environment_creating == Settings().delays.environment_creating
    file.write_text('{"speeed": 5}')
    with pytest.raises(RefusedStartError, match="speeed"):
        with_file(Settings(), file)


def test_it_answers_under_the_names_that_it_was_given_and_no_others():
    server = Server(make_simulator(), ThreadPoolExecutor(max_workers=1))
    server.listens_on(4566, ["AWS.trial.svc"])
    assert {"aws.trial.svc", "aws.trial.svc:4566", "localhost:4566"} <= server._hosts
    assert "aws.trial.svc:1" not in server._hosts
    assert "0.0.0.0" not in server._hosts  # noqa: S104 - a name here


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])  # noqa: S104
def test_a_process_started_as_in_the_cluster_is_reached_by_its_service_name(
    secrets, tmp_path, address
):
    ready = tmp_path / "ready.json"
    options = [
        *("--listen", address, "--user-data", "interpret"),
        *("--allowed-host", "aws-batch-simulator.awsbatch-system.svc"),
        *("--secrets", str(secrets), "--ready-file", str(ready)),
    ]
    running = subprocess.Popen(
        [sys.executable, "-m", "awsbatch_simulator", *options],
        env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: ready.exists() or running.poll() is not None, "it is ready")
        found = json.loads(ready.read_text())
        assert (found["accessKeyId"], found["adminToken"]) == (KEY, TOKEN)
        url = found["url"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        port = url.rpartition(":")[2]
        token = {"Authorization": f"Bearer {TOKEN}"}
        name = f"aws-batch-simulator.awsbatch-system.svc:{port}"
        assert request(url, "GET", "/_simulator/calls", headers={"Host": name, **token})[0] == 200
        sts = boto3.client(
            "sts",
            endpoint_url=url,
            region_name="eu-central-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        assert sts.get_caller_identity()["Account"] == found["accountId"]
        sts.close()
        other = {"Host": f"10.1.2.3:{port}", **token}
        assert request(url, "GET", "/_simulator/calls", headers=other)[0] == 403
    finally:
        running.terminate()
        running.wait(20)


NO_IPV6 = OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
TAKEN = OSError(errno.EADDRINUSE, "Address already in use")


def answers(port, family, address):
    with socket.socket(family) as caller:
        caller.settimeout(2)
        return caller.connect_ex((address, port)) == 0


async def test_on_all_addresses_it_is_reached_by_either_family():
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    async with serving(make_simulator(), host="::") as url:
        port = urlsplit(url).port
        assert answers(port, socket.AF_INET, "127.0.0.2")
        assert answers(port, socket.AF_INET6, "::1")
        name = {"Host": f"[::1]:{port}"}
        got = await asyncio.to_thread(request, f"http://[::1]:{port}", "GET", "/", headers=name)
        assert b"name of this server" not in got[2]


@pytest.mark.parametrize("has", [True, False])
async def test_where_ipv6_is_switched_off_all_addresses_are_those_of_ipv4(monkeypatch, has):
    create = socket.create_server

    def without_ipv6(address, *, family=socket.AF_INET, **options):
        if family == socket.AF_INET6:
            raise NO_IPV6
        return create(address, family=family, **options)

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: has)
    monkeypatch.setattr(socket, "create_server", without_ipv6)
    async with serving(make_simulator(), host="::") as url:
        assert answers(urlsplit(url).port, socket.AF_INET, "127.0.0.2")


def test_a_port_that_is_taken_is_not_opened_by_the_other_family_alone(monkeypatch):
    def taken(*_, **__):
        raise TAKEN

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    monkeypatch.setattr(socket, "create_server", taken)
    with pytest.raises(OSError, match="in use"):
        on_all_addresses(4566)
