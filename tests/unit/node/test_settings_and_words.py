"""What the node's parts are told: the settings agree with the command lines and with each other."""

import ipaddress
import json
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.support import trial

from awsbatch_node import first, namespaces, place, settings, words
from awsbatch_node.place import Place
from awsbatch_node.trust import Credentials
from awsbatch_sandbox.certificates import KeyPair, SigningKeys
from awsbatch_sandbox.flags import Trust
from awsbatch_sandbox.paths import REPOSITORY

HERE = Place(Path("/srv/awsbatch-node-x"))
PAIR = KeyPair(Path("/pki/a.crt"), Path("/pki/a.key"))
TRUST = Trust(Path("/pki/ca.crt"), PAIR, SigningKeys(Path("/pki/sa.key"), Path("/pki/sa.pub")))


def flags(command):
    return dict(word.removeprefix("--").partition("=")[::2] for word in command[1:])


def test_containerd_and_the_kubelet_meet_at_one_socket():
    containerd = tomllib.loads(settings.containerd(HERE))
    kubelet = json.loads(settings.kubelet(HERE, cgroup="/x"))
    assert kubelet["containerRuntimeEndpoint"] == f"unix://{containerd['grpc']['address']}"
    assert containerd["grpc"]["address"] in " ".join(words.ctr("version"))


def test_containerd_and_the_kubelet_make_cgroups_in_the_same_way():
    cri = tomllib.loads(settings.containerd(HERE))["plugins"]["io.containerd.grpc.v1.cri"]
    runc = cri["containerd"]["runtimes"]["runc"]
    assert runc["options"]["SystemdCgroup"] is False
    assert json.loads(settings.kubelet(HERE, cgroup="/x"))["cgroupDriver"] == "cgroupfs"


def test_containerd_finds_the_pod_network_where_it_is_written():
    cri = tomllib.loads(settings.containerd(HERE))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["cni"]["conf_dir"] == str(HERE.cni)
    (bridge,) = json.loads(settings.pod_network())["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": place.POD_CIDR}]]


@pytest.mark.parametrize("path", ["/srv/with space", '/srv/with"quote', "/srv/with\\backslash"])
def test_a_path_stays_as_it_is_whatever_is_in_it(path):
    strange = Place(Path(path))
    assert tomllib.loads(settings.containerd(strange))["root"] == str(strange.containerd)


def test_pods_are_all_below_the_nodes_own_cgroup():
    assert json.loads(settings.kubelet(HERE, cgroup="/mine"))["cgroupRoot"] == "/mine"


def test_nothing_is_written_under_the_kubelets_usual_names():
    kubelet = json.loads(settings.kubelet(HERE, cgroup="/x"))
    written = [kubelet["podLogsDir"], kubelet["volumePluginDir"], kubelet["resolvConf"]]
    command = flags(words.kubelet(Path("kubelet"), HERE))
    written += [command["root-dir"], command["cert-dir"]]
    assert all(Path(path).is_relative_to(HERE.root) for path in written)
    assert {"/run", "/var/lib/kubelet", "/var/log"} <= set(first.OWN)


def test_the_networks_of_node_pods_and_services_do_not_overlap():
    node = ipaddress.ip_interface(f"{place.ADDRESS}/{place.PREFIX_LENGTH}").network
    pods, services = map(ipaddress.ip_network, (place.POD_CIDR, place.SERVICE_CIDR))
    assert not any((node.overlaps(pods), node.overlaps(services), pods.overlaps(services)))
    assert ipaddress.ip_address(place.GATEWAY) in node
    assert ipaddress.ip_address(place.API_SERVICE) == services[1]


def test_every_part_is_told_of_a_kubeconfig_that_is_written_for_it():
    from awsbatch_node.trust import USERS  # noqa: PLC0415 - imports what only Linux has

    told = {
        flags(words.controller_manager(Path("m"), HERE, trust=TRUST))["kubeconfig"],
        flags(words.scheduler(Path("s"), HERE))["kubeconfig"],
        flags(words.kubelet(Path("k"), HERE))["kubeconfig"],
        json.loads(settings.proxy(HERE))["clientConnection"]["kubeconfig"],
    }
    written = {str(HERE.kubeconfig_of(part)) for part in USERS}
    assert told == written - {str(HERE.kubeconfig)}


def test_the_api_server_believes_the_authority_and_speaks_to_the_kubelet():
    found = flags(words.api_server(Path("a"), Credentials(TRUST, PAIR), HERE.audit))
    assert found["client-ca-file"] == str(TRUST.ca_file)
    assert found["kubelet-client-key"] == str(PAIR.key)
    assert found["advertise-address"] == place.ADDRESS
    assert found["authorization-mode"] == "Node,RBAC"


def test_the_first_process_takes_everything_with_it():
    command = namespaces.words(["true"], network=True)
    assert command[:1] + command[-2:] == ["unshare", "--kill-child", "true"]
    assert {"--mount", "--pid", "--net", "--fork"} < set(command)
    assert "--net" not in namespaces.words(["true"], network=False)


def test_a_command_in_the_node_starts_in_the_directory_that_it_was_given():
    command = words.inside(7, ["etcd"], directory=Path("/data"))
    assert command[-3:] == ["env", "--chdir=/data", "etcd"]
    assert "--target=7" in command


def test_a_trial_without_dns_knows_the_simulators_service_by_its_address():
    overlay = REPOSITORY / "tests" / "e2e" / "without-dns" / "kustomization.yaml"
    service, deployment, simulator = (
        yaml.safe_load(patch["patch"]) for patch in yaml.safe_load(overlay.read_text())["patches"]
    )
    (alias,) = deployment["spec"]["template"]["spec"]["hostAliases"]
    address = service["spec"]["clusterIP"]
    assert alias["ip"] == address
    assert ipaddress.ip_address(address) in ipaddress.ip_network(place.SERVICE_CIDR)
    assert simulator[0]["value"] == f"--allowed-host={address}"
    assert (alias["hostnames"], address) == ([trial.NAMED], trial.ADDRESSED)
    operator = REPOSITORY / "deploy" / "overlays" / "simulator" / "operator.yaml"
    assert f"http://{alias['hostnames'][0]}:" in operator.read_text()
