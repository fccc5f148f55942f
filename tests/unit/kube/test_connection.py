"""Where the API server is and who we are there."""

import asyncio
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.clock import SteppedClock
from tests.support.scripted_server import FixedConnection, Say, Script, serving

from awsbatch_operator.kube.configuration import ConfigurationError
from awsbatch_operator.kube.connection import (
    Connection,
    Location,
    connect,
    proxy_of,
)
from awsbatch_sandbox.certificates import Authority

PATH = {"PATH": os.environ["PATH"]}
POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "ca.crt").write_text("a certificate")
    (tmp_path / "token").write_text("first\n")
    return tmp_path


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, {"token": "first"})
    return path


def write_kubeconfig(
    path: Path, user: dict[str, Any] | None, content: str = "", **cluster: str
) -> None:
    if user is None:
        path.write_text(content)
        return
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://api.example.org:1"} | cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))


def with_plugin(path: Path, seconds: float = 0.0) -> Path:
    """A kubeconfig whose plug-in gives a certificate; the file in which its runs are counted."""
    authority = Authority(name="ours", now=datetime.now(UTC))
    mine = authority.client(path.parent, "mine", user="me")
    given = {
        "clientCertificateData": mine.certificate.read_text(),
        "clientKeyData": mine.key.read_text(),
    }
    version = "client.authentication.k8s.io/v1"
    printed = {"apiVersion": version, "kind": "ExecCredential", "status": given}
    (path.parent / "printed").write_text(json.dumps(printed))
    script = f"echo ran >> runs; sleep {seconds}; cat printed"
    command = {
        "apiVersion": version,
        "command": "sh",
        "args": ["-c", f"cd {path.parent}; {script}"],
    }
    write_kubeconfig(path, {"exec": command})
    return path.parent / "runs"


async def in_pod(account: Path, clock: SteppedClock, **environ: str) -> Connection:
    location = Location(service_account=account)
    return await connect(location, clock=clock, environ={**POD, **environ})


class TestDetect:
    def test_kubeconfig_from_the_environment_wins(self, tmp_path: Path):
        found = Location.detect({**POD, "KUBECONFIG": "/x"}, home=tmp_path)
        assert found == Location(kubeconfig=Path("/x"))

    def test_in_a_pod_it_is_the_service_account(self, tmp_path: Path):
        assert Location.detect(POD, home=tmp_path) == Location()

    def test_elsewhere_it_is_the_kubeconfig_in_the_home_directory(self, tmp_path: Path):
        found = Location.detect({"KUBECONFIG": ""}, home=tmp_path)
        assert found == Location(kubeconfig=tmp_path / ".kube" / "config")


class TestInAPod:
    async def test_the_address_needs_no_cluster_dns(self, account: Path):
        assert (await in_pod(account, SteppedClock())).server == "https://10.96.0.1:443"

    async def test_an_ipv6_address_is_bracketed(self, account: Path):
        connection = await in_pod(account, SteppedClock(), KUBERNETES_SERVICE_HOST="fd00::1")
        assert connection.server == "https://[fd00::1]:443"

    async def test_a_rotated_token_is_used_within_a_minute(self, account: Path):
        clock = SteppedClock()
        connection = await in_pod(account, clock)
        assert await connection.authorization() == "Bearer first"
        (account / "token").write_text("second")
        await clock.advance(59)
        assert await connection.authorization() == "Bearer first"
        await clock.advance(1)
        assert await connection.authorization() == "Bearer second"

    async def test_a_refused_token_is_read_again_at_once(self, account: Path):
        connection = await in_pod(account, SteppedClock())
        (account / "token").write_text("second")
        await connection.renew(connection.configuration)
        assert await connection.authorization() == "Bearer second"

    @pytest.mark.parametrize("missing", ["ca.crt", "token"])
    async def test_without_its_token_mounted_it_says_how_to_mend_it(self, account: Path, missing):
        (account / missing).unlink()
        with pytest.raises(ConfigurationError, match="automountServiceAccountToken"):
            await in_pod(account, SteppedClock())

    async def test_outside_a_pod_it_says_to_set_kubeconfig(self, account: Path):
        with pytest.raises(ConfigurationError, match="Set KUBECONFIG"):
            await connect(Location(service_account=account), clock=SteppedClock(), environ={})


class TestKubeconfig:
    async def test_address_and_token_come_from_the_current_context(self, kubeconfig: Path):
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ={})
        assert connection.server == "http://api.example.org:1"
        assert await connection.authorization() == "Bearer first"

    async def test_a_refused_token_makes_it_read_the_file_again(self, kubeconfig: Path):
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ={})
        write_kubeconfig(kubeconfig, {"token": "second"})
        await connection.renew(connection.configuration)
        assert await connection.authorization() == "Bearer second"

    async def test_of_many_that_were_refused_only_the_first_reads_it_again(self, kubeconfig: Path):
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ={})
        refused = connection.configuration
        write_kubeconfig(kubeconfig, {"token": "second"})
        await connection.renew(refused)
        write_kubeconfig(kubeconfig, {"token": "third"})
        await connection.renew(refused)
        assert await connection.authorization() == "Bearer second"

    async def test_of_many_that_were_refused_at_once_all_get_what_one_reading_brings(
        self, kubeconfig: Path
    ):
        runs = with_plugin(kubeconfig)
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ=PATH)
        refused = connection.configuration
        await asyncio.gather(*(connection.renew(refused) for _ in range(5)))
        assert runs.read_text() == "ran\n" * 2

    async def test_a_plug_in_may_take_longer_than_those_who_wait_for_it(self, kubeconfig: Path):
        """Attempts at the lease end after seconds; begun anew each time, it would never end."""
        runs = with_plugin(kubeconfig, seconds=0.3)
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ=PATH)
        refused = connection.configuration
        for _ in range(20):
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.renew(refused), 0.05)
            if connection.configuration is not refused:
                break
        assert connection.configuration is not refused
        assert runs.read_text() == "ran\n" * 2

    async def test_what_cannot_be_used_does_not_take_the_place_of_what_could(
        self, kubeconfig: Path
    ):
        """While certificate and key are being replaced, they may not fit for a moment."""
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ={})
        before = connection.configuration
        write_kubeconfig(kubeconfig, {"client-certificate-data": "eA==", "client-key-data": "eA=="})
        with pytest.raises(ConfigurationError):
            await connection.renew(before)
        assert connection.configuration is before

    async def test_a_client_certificate_sends_no_token(self, kubeconfig: Path):
        write_kubeconfig(kubeconfig, {})
        connection = await connect(Location(kubeconfig), clock=SteppedClock(), environ={})
        assert await connection.authorization() is None

    @pytest.mark.parametrize("content", ["", "{}", "a: [", "current-context: x"])
    async def test_an_unusable_kubeconfig_is_named(self, kubeconfig: Path, content: str):
        write_kubeconfig(kubeconfig, None, content)
        with pytest.raises(ConfigurationError, match=str(kubeconfig)):
            await connect(Location(kubeconfig), clock=SteppedClock(), environ={})

    async def test_a_missing_kubeconfig_is_named(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match="nowhere"):
            await connect(Location(tmp_path / "nowhere"), clock=SteppedClock(), environ={})


class TestProxy:
    SERVER = "https://api.example.org:6443"

    @pytest.mark.parametrize(
        ("environ", "proxy"),
        [
            ({}, None),
            ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
            ({"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
            ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://a:1"),
            ({"HTTP_PROXY": "http://proxy:3128"}, None),
            ({"HTTPS_PROXY": ""}, None),
        ],
    )
    def test_it_is_the_one_that_the_environment_names_for_the_address(self, environ, proxy):
        assert proxy_of(self.SERVER, environ) == proxy

    @pytest.mark.parametrize(
        ("host", "excepted", "direct"),
        [
            ("api.example.org", ".example.org", True),
            ("api.example.org", "example.org", True),
            ("api.example.org", "*.example.org", True),
            ("api.example.org", "other.net, API.example.org:6443", True),
            ("api.example.org", "api.example.org:443", False),
            ("api.example.org", "ample.org,10.0.0.0/8,:,", False),
            ("api.example.org", "*", True),
            ("10.96.0.1", "10.96.0.0/12,.svc,.cluster.local", True),
            ("10.96.0.1", "10.96.0.1", True),
            ("10.96.0.1", "10.97.0.0/16,fd00::/8", False),
            ("10.96.0.1", "6.0.1", False),
            ("[fd00::1]", "fd00::/8", True),
            ("[fd00::1]", "[fd00::1]", True),
            ("localhost", "", True),
            ("127.0.0.1", "", True),
            ("[::1]", "", True),
        ],
    )
    def test_what_it_is_not_for_is_read_as_kubectl_does(self, host, excepted, direct):
        environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": excepted}
        assert (proxy_of(f"https://{host}:6443", environ) is None) == direct

    async def test_that_of_the_kubeconfig_goes_first(self, kubeconfig: Path):
        write_kubeconfig(kubeconfig, {"token": "first"}, **{"proxy-url": "http://theirs:3128"})
        connection = await connect(
            Location(kubeconfig=kubeconfig),
            clock=SteppedClock(),
            environ={"HTTP_PROXY": "http://proxy:3128"},
        )
        assert connection.configuration.proxy == "http://theirs:3128"

    async def test_that_of_the_environment_stays_when_the_kubeconfig_is_read_again(
        self, kubeconfig: Path
    ):
        connection = await connect(
            Location(kubeconfig=kubeconfig),
            clock=SteppedClock(),
            environ={"HTTP_PROXY": "http://proxy:3128"},
        )
        assert connection.configuration.proxy == "http://proxy:3128"
        await connection.renew(connection.configuration)
        assert connection.configuration.proxy == "http://proxy:3128"


async def test_a_session_sends_the_identity_that_is_valid_then():
    script = Script(Say())
    async with serving(script) as server:
        connection = FixedConnection(server, SteppedClock(), "old", "new")
        async with connection.session() as session:
            async with session.get(server):
                await connection.renew(connection.configuration)
            async with session.get(server):
                pass
    assert [a.headers["Authorization"] for a in script.asked] == ["Bearer old", "Bearer new"]
