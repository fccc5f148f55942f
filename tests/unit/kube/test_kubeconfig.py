"""Kubeconfigs as people have them: certificates, plug-ins, several files."""

import base64
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from awsbatch_operator.kube.configuration import Configuration, ConfigurationError
from awsbatch_operator.kube.kubeconfig import load

SERVER = "https://api.example.org:6443"


def kubeconfig(
    path: Path, user: dict[str, Any] | None = None, name: str = "here", **cluster: Any
) -> Path:
    content = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": SERVER} | cluster}],
        "users": [{"name": name, "user": user}],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def loaded(path: Path, context: str | None = None, **environ: str) -> Configuration:
    return load(str(path), context, dict(os.environ) | environ)


def plugin(directory: Path, script: str, **more: Any) -> dict[str, Any]:
    path = directory / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"} | more}


def credential(**status: str) -> str:
    printed = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    return f"cat <<'END'\n{json.dumps(printed)}\nEND"


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


class TestOfACluster:
    @pytest.mark.parametrize(
        "cluster",
        [
            {"server": "api.example.org:6443"},
            {"server": "https://api.example.org:x"},
            {"server": "https://[::1:6443"},
            {"server": "https://"},
            {"proxy-url": "socks5://ann:hidden@proxy.example.org:1080"},
            {"proxy-url": "proxy.example.org:3128"},
        ],
    )
    def test_an_address_that_cannot_be_used_is_told_by_its_field(self, tmp_path: Path, cluster):
        path = kubeconfig(tmp_path / "config", **cluster)
        with pytest.raises(ConfigurationError, match=next(iter(cluster))) as caught:
            loaded(path)
        assert "hidden" not in str(caught.value)

    def test_all_that_kubectl_reads_is_read(self, tmp_path: Path):
        given: dict[str, Any] = {
            "certificate-authority-data": encoded(b"authority"),
            "tls-server-name": "other.example.org",
            "proxy-url": "http://proxy:3128",
            "insecure-skip-tls-verify": True,
        }
        found = loaded(kubeconfig(tmp_path / "config", **given))
        assert found == Configuration(
            host=SERVER,
            authority=b"authority",
            tls_server_name="other.example.org",
            proxy="http://proxy:3128",
            verified=False,
        )

    def test_a_slash_at_the_end_of_the_address_is_not_doubled(self, tmp_path: Path):
        assert loaded(kubeconfig(tmp_path / "c", server=f"{SERVER}/x/")).host == f"{SERVER}/x"

    def test_a_relative_path_belongs_to_the_file_that_it_stands_in(self, tmp_path: Path):
        given: dict[str, Any] = {"certificate-authority": "ca.crt"}
        found = loaded(kubeconfig(tmp_path / "config", {"client-key": "pki/key"}, **given))
        assert (found.authority, found.key) == (tmp_path / "ca.crt", tmp_path / "pki/key")

    def test_another_context_than_the_current_one_can_be_asked_for(self, tmp_path: Path):
        kubeconfig(tmp_path / "a", {"token": "of a"}, name="a")
        kubeconfig(tmp_path / "b", {"token": "of b"}, name="b")
        assert load(f"{tmp_path}/a:{tmp_path}/b", "b", {}).authorization == "Bearer of b"


class TestOfAUser:
    def test_the_content_of_a_token_file_goes_before_a_token(self, tmp_path: Path):
        (tmp_path / "token").write_text("fresh\n")
        user = {"token": "old", "tokenFile": "token"}
        assert loaded(kubeconfig(tmp_path / "config", user)).authorization == "Bearer fresh"

    def test_a_name_and_a_password_are_sent_as_such(self, tmp_path: Path):
        user = {"username": "me", "password": "secret"}
        found = loaded(kubeconfig(tmp_path / "config", user))
        assert found.authorization == f"Basic {encoded(b'me:secret')}"

    def test_certificate_and_key_may_stand_in_the_file_itself(self, tmp_path: Path):
        user = {"client-certificate-data": encoded(b"c"), "client-key-data": encoded(b"k")}
        found = loaded(kubeconfig(tmp_path / "config", user))
        assert (found.certificate, found.key, found.authorization) == (b"c", b"k", None)

    @pytest.mark.parametrize("user", [None, {}])
    def test_a_user_without_anything_is_nobody(self, tmp_path: Path, user):
        assert loaded(kubeconfig(tmp_path / "config", user)) == Configuration(host=SERVER)

    def test_a_provider_that_kubectl_has_given_up_is_refused(self, tmp_path: Path):
        path = kubeconfig(tmp_path / "config", {"auth-provider": {"name": "gcp"}})
        with pytest.raises(ConfigurationError, match=r"use a plug-in \(exec\)"):
            loaded(path)


class TestAPlugin:
    def test_its_token_is_ours(self, tmp_path: Path):
        user = plugin(tmp_path, credential(token="fresh"))
        assert loaded(kubeconfig(tmp_path / "config", user)).authorization == "Bearer fresh"

    def test_its_certificate_is_ours(self, tmp_path: Path):
        user = plugin(tmp_path, credential(clientCertificateData="c", clientKeyData="k"))
        found = loaded(kubeconfig(tmp_path / "config", user))
        assert (found.certificate, found.key, found.authorization) == (b"c", b"k", None)

    @pytest.mark.parametrize(
        ("given", "authorization"),
        [
            ({"token": "mine"}, "Bearer mine"),
            ({"username": "me", "password": "x"}, f"Basic {encoded(b'me:x')}"),
            ({"client-certificate-data": "eA==", "client-key-data": "eA=="}, None),
        ],
    )
    def test_it_is_not_run_for_a_user_who_has_an_identity_without_it(
        self, tmp_path: Path, given, authorization
    ):
        """As with kubectl: `kubectl config set-credentials --token` leaves the plug-in there."""
        path = kubeconfig(tmp_path / "config", plugin(tmp_path, "exit 3") | given)
        assert loaded(path).authorization == authorization

    def test_it_is_told_of_the_cluster_if_it_asks_for_that(self, tmp_path: Path):
        (tmp_path / "ca.crt").write_bytes(b"authority")
        extension = {
            "name": "client.authentication.k8s.io/exec",
            "extension": {"since": date(2026, 1, 2)},
        }
        other = {"name": "minikube", "extension": {"version": 1}}
        cluster: dict[str, Any] = {
            "certificate-authority": "ca.crt",
            "tls-server-name": "other.example.org",
            "extensions": [other, extension],
        }
        user = plugin(tmp_path, 'echo "$KUBERNETES_EXEC_INFO" >&2; exit 3', provideClusterInfo=True)
        with pytest.raises(ConfigurationError) as caught:
            loaded(kubeconfig(tmp_path / "config", user, **cluster))
        told = str(caught.value).partition("ended with 3: ")[2]
        assert json.JSONDecoder().raw_decode(told)[0]["spec"] == {
            "interactive": False,
            "cluster": {
                "server": SERVER,
                "certificate-authority-data": encoded(b"authority"),
                "tls-server-name": "other.example.org",
                "config": {"since": "2026-01-02"},
            },
        }

    def test_it_gets_arguments_environment_and_what_is_asked(self, tmp_path: Path):
        script = 'echo "$* $OURS $THEIRS $KUBERNETES_EXEC_INFO" >&2; exit 3'
        more = {"args": ["a", "b"], "env": [{"name": "THEIRS", "value": "theirs"}]}
        path = kubeconfig(tmp_path / "config", plugin(tmp_path, script, **more))
        with pytest.raises(ConfigurationError) as caught:
            loaded(path, OURS="ours")
        assert "ended with 3: a b ours theirs {" in str(caught.value)
        assert '"spec": {"interactive": false}' in str(caught.value)

    def test_a_name_alone_is_looked_for_on_the_path(self, tmp_path: Path):
        (tmp_path / "bin").mkdir()
        user = plugin(tmp_path / "bin", credential(token="found"), command="plugin")
        path = kubeconfig(tmp_path / "config", user)
        found = loaded(path, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        assert found.authorization == "Bearer found"

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("echo nothing", "has printed no ExecCredential"),
            ("echo '{}'", "has printed no ExecCredential"),
            (credential(), "neither a token nor a certificate with its key"),
            (credential(clientCertificateData="c"), "neither a token nor"),
            (credential(token="x").replace("/v1", "/v1beta1"), "v1 was asked for"),
        ],
    )
    def test_what_is_wrong_with_its_answer_is_said(self, tmp_path: Path, script, words):
        path = kubeconfig(tmp_path / "config", plugin(tmp_path, script))
        with pytest.raises(ConfigurationError, match=words):
            loaded(path)

    def test_one_that_is_not_installed_is_named(self, tmp_path: Path):
        user = plugin(tmp_path, "", command="no-such-plugin")
        with pytest.raises(ConfigurationError, match="no-such-plugin"):
            loaded(kubeconfig(tmp_path / "config", user))


class TestSeveralFiles:
    def test_the_first_entry_of_a_name_and_the_first_current_context_count(self, tmp_path: Path):
        kubeconfig(tmp_path / "a" / "config", {"token": "first"})
        kubeconfig(tmp_path / "b" / "config", {"token": "second"})
        kubeconfig(tmp_path / "c" / "config", {"token": "third"}, name="there")
        paths = f"{tmp_path}/nowhere:{tmp_path}/a/config:{tmp_path}/b/config:{tmp_path}/c/config"
        assert load(paths, None, {}).authorization == "Bearer first"

    @pytest.mark.parametrize("content", ["", "# to be written\n"])
    def test_an_empty_one_among_them_says_nothing(self, tmp_path: Path, content: str):
        (tmp_path / "empty").write_text(content)
        kubeconfig(tmp_path / "config", {"token": "mine"})
        found = load(f"{tmp_path}/empty:{tmp_path}/config", None, {})
        assert found.authorization == "Bearer mine"

    def test_paths_belong_to_the_file_of_their_entry(self, tmp_path: Path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "config").write_text("current-context: here\nusers: null\n")
        kubeconfig(tmp_path / "b" / "config", {"client-key": "key"})
        found = load(f"{tmp_path}/a/config:{tmp_path}/b/config", None, {})
        assert found.key == tmp_path / "b" / "key"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": "other"}, "no context 'other'"),
        ({"clusters": []}, "no cluster 'here'"),
        ({"users": []}, "no user 'here'"),
        ({"clusters": {}}, r"at `\$\.clusters`"),
        ({"clusters": [{"name": "here", "cluster": {}}]}, "`server`"),
        (
            {"clusters": [{"name": "here", "cluster": {"server": "x", "proxy-url": 1}}]},
            r"Expected `str \| null`, got `int`",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, change, words):
    path = kubeconfig(tmp_path / "config")
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(ConfigurationError, match=words):
        loaded(path)


@pytest.mark.parametrize(
    "line",
    ["token: S3cr3t: x", "token: %S3cr3t", "token: *S3cr3t", "token: !S3cr3t x", "token: 'S3cr3t"],
)
def test_what_is_no_yaml_is_not_repeated_because_it_may_be_a_secret(tmp_path: Path, line: str):
    (tmp_path / "config").write_text(f"users:\n- name: me\n  user:\n    {line}\n")
    with pytest.raises(ConfigurationError, match=r"line [45]") as caught:
        loaded(tmp_path / "config")
    assert "S3cr3t" not in str(caught.value)
