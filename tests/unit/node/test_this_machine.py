"""What a node needs of a machine, and what it leaves there: nothing."""

import io
import os
import shutil
from pathlib import Path

import pytest
from tests.unit.sandbox.scripts import script

from awsbatch_node import (
    cgroups,
    clusters,
    engine,
    first,
    images,
    leftovers,
    namespaces,
    outage,
    requirements,
)
from awsbatch_node.engine import Engine
from awsbatch_node.images import Images
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.progress import Progress


def test_what_is_missing_is_told_as_packages():
    have = {"ctr", "runc", "iptables", "conntrack", "ip", "nsenter", "unshare", "mount", "docker"}
    missing = requirements.missing_packages(have.__contains__, plugins=False)
    assert missing == ["containerd", "containernetworking-plugins", "debootstrap", "docker.io"]
    assert requirements.missing_packages(lambda _: True, plugins=True) == []


@pytest.mark.parametrize(
    ("system", "user", "says"), [("Darwin", 0, "needs Linux"), ("Linux", 1000, "needs root")]
)
def test_a_machine_that_cannot_have_a_node_is_told_why(system, user, says):
    assert says in requirements.why_not(system=system, user=user)


def test_root_on_linux_can_have_a_node():
    assert requirements.why_not(system="Linux", user=0) == ""


def test_who_cannot_have_a_node_hears_of_the_other_ways(monkeypatch):
    monkeypatch.setattr(requirements, "why_not", lambda **_: "this is no Linux")
    with pytest.raises(SandboxError, match=r"E2E_KUBECONFIG.*kind.*this is no Linux"):
        requirements.ensure(Progress(io.StringIO()), engine=False)


def test_a_machine_with_an_engine_needs_no_docker_of_debian(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert "docker.io" in requirements._missing(engine=False)
    assert "docker.io" not in requirements._missing(engine=True)


def test_packages_are_installed_by_nobody_but_ci(monkeypatch):
    monkeypatch.setattr(requirements, "why_not", lambda **_: "")
    monkeypatch.setattr(requirements, "_missing", lambda **_: ["runc"])
    monkeypatch.setattr(requirements, "_install", lambda _: pytest.fail("installed"))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(SandboxError, match=r"apt-get install .* runc"):
        requirements.ensure(Progress(io.StringIO()), engine=False)


@pytest.mark.parametrize(
    ("text", "suite"),
    [("ID=debian\nVERSION_CODENAME=trixie\n", "trixie"), ('VERSION_CODENAME="x"\n', "x")],
)
def test_the_base_is_of_this_machines_own_debian(tmp_path, text, suite):
    (tmp_path / "os-release").write_text(text)
    assert requirements.debian_suite(tmp_path / "os-release") == suite


@pytest.mark.parametrize(("kilobytes", "much"), [(6_291_456, True), (6_291_455, False)])
def test_images_are_in_memory_only_where_there_is_much_of_it(tmp_path, kilobytes, much):
    text = f"MemTotal: 99999999 kB\nMemAvailable:   {kilobytes} kB\n"
    (tmp_path / "meminfo").write_text(text)
    assert requirements.much_memory(tmp_path / "meminfo") is much


def test_cgroups_are_found_with_either_version():
    mounts = (
        "proc /proc proc rw 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    found = cgroups.hierarchies(mounts)
    assert found == [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/unified")]


@pytest.fixture
def hierarchies(tmp_path, monkeypatch):
    made = [tmp_path / name for name in ("memory", "pids")]
    for each in made:
        each.mkdir()
    lines = [f"cgroup {each} cgroup rw 0 0" for each in made]
    (tmp_path / "mounts").write_text("\n".join(lines))
    monkeypatch.setattr(cgroups, "MOUNTS", tmp_path / "mounts")
    return made


def test_a_nodes_cgroups_go_with_all_below_them_and_no_others(hierarchies):
    cgroups.create("mine")
    cgroups.create("other")
    for each in hierarchies:
        (each / "mine" / "kubepods" / "burstable" / "pod1").mkdir(parents=True)
    assert cgroups.remove("mine") == []
    assert [path.name for each in hierarchies for path in each.iterdir()] == ["other", "other"]


def test_what_a_dead_node_left_is_removed_and_a_living_one_is_let_be(tmp_path, hierarchies):
    dead, living, beginning = (tmp_path / f"{leftovers.PREFIX}{name}" for name in "abc")
    for root in (dead, living, beginning):
        root.mkdir()
    (dead / leftovers.LOCK).touch()
    cgroups.create(dead.name)
    with leftovers.held(living):
        assert leftovers.sweep(tmp_path) == [dead]
    assert not dead.exists()
    assert living.exists()
    assert beginning.exists()
    assert not any(list(each.iterdir()) for each in hierarchies)


@pytest.mark.parametrize("command", [["/sbin/init"], ["python", "first.py"]])
def test_the_power_is_cut_in_a_node_and_nowhere_else(tmp_path, monkeypatch, command):
    def says(words):
        (tmp_path / "cmdline").write_bytes(b"\0".join(map(os.fsencode, [*words, ""])))

    monkeypatch.setattr(outage, "FIRST_COMMAND", tmp_path / "cmdline")
    monkeypatch.setattr(outage, "kill_all", lambda: pytest.fail("all are killed"))
    says(command)
    with pytest.raises(SystemExit, match="This is no node"):
        outage.main()
    says(["python", "-I", "-S", first.__file__, "/ready"])
    assert outage.is_in_a_node()


@pytest.fixture
def nodes(tmp_path, hierarchies):
    made = [tmp_path / f"{leftovers.PREFIX}{name}" for name in "ab"]
    for each in made:
        each.mkdir()
    return made


def test_directories_that_a_node_made_go_with_it_and_no_others(tmp_path, nodes):
    root, other = nodes
    other.rmdir()
    there, made, used = (tmp_path / name for name in ("there", "made", "used"))
    there.mkdir()
    leftovers.make(root, [there, made, used])
    (used / "file").touch()
    leftovers.clear(root)
    assert (there.exists(), made.exists(), used.exists()) == (True, False, True)


def test_directories_that_another_node_uses_are_let_be(tmp_path, nodes):
    first, second = nodes
    leftovers.make(first, [tmp_path / "made"])
    leftovers.make(second, [tmp_path / "made"])
    with leftovers.held(second):
        leftovers.clear(first)
        assert (tmp_path / "made").exists()


def test_whatever_a_node_has_left_is_found(tmp_path, hierarchies, monkeypatch):
    root = tmp_path / f"{leftovers.PREFIX}x"
    (tmp_path / "all-mounts").write_text("")
    monkeypatch.setattr(leftovers, "MOUNTS", tmp_path / "all-mounts")
    assert leftovers.left(root, frozenset()) == []
    root.mkdir()
    (tmp_path / "all-mounts").write_text(f"tmpfs {root}/run tmpfs rw 0 0\n")
    monkeypatch.setattr(cgroups, "LOOKS", 1)
    monkeypatch.setattr(cgroups, "_removed", lambda _: False)
    cgroups.create(root.name)
    found = leftovers.left(root, namespaces.of(os.getpid()))
    assert f"process {os.getpid()}" in found
    assert found[-4:] == [
        f"mount {root}/run",
        *(f"cgroup {each / root.name}" for each in hierarchies),
        f"directory {root}",
    ]


def test_nobody_is_in_the_namespaces_of_who_has_ended():
    assert namespaces.of(2**22 + 1) == frozenset()
    assert namespaces.inhabitants(frozenset({"net:[0]"})) == []


def test_the_cluster_that_is_given_needs_images_that_it_can_pull():
    with pytest.raises(SandboxError, match="E2E_OPERATOR_IMAGE and E2E_SIMULATOR_IMAGE not"):
        clusters.given({"E2E_KUBECONFIG": "/x"})


def test_the_cluster_that_is_given_needs_a_kubeconfig_that_is_there(tmp_path):
    given = {
        "E2E_KUBECONFIG": f"{tmp_path}/x",
        "E2E_OPERATOR_IMAGE": "o",
        "E2E_SIMULATOR_IMAGE": "s",
    }
    with pytest.raises(SandboxError, match="/x: there is no such file"):
        clusters.given(given)


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """Which kind of cluster is opened, by name, without opening it."""

    def choose(environ, *, docker, kind):
        if kind:
            script(tmp_path / "kind", "exit 0")
        for name in ("kind", "node"):
            monkeypatch.setattr(clusters, name, lambda *_, name=name: Opened(name))
        monkeypatch.setattr(clusters, "given", lambda _: "given")
        monkeypatch.setattr(engine, "machines_own", lambda _: docker)
        monkeypatch.setattr(requirements, "ensure", lambda *_, **__: None)
        given = {"PATH": str(tmp_path), **environ}
        with clusters.open_cluster(Progress(io.StringIO()), lambda _: None, given) as found:
            return found

    return choose


class Opened:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self.name

    def __exit__(self, *_):
        return None


def test_a_given_cluster_goes_first_then_kind_with_docker_then_a_node(chosen):
    given = {"E2E_KUBECONFIG": "/x"}
    assert chosen(given, docker=object(), kind=True) == "given"
    assert chosen({}, docker=object(), kind=True) == "kind"
    assert chosen({}, docker=None, kind=True) == "node"


def test_docker_alone_makes_a_node(chosen):
    assert chosen({}, docker=object(), kind=False) == "node"


@pytest.fixture
def kind_calls(monkeypatch, tmp_path):
    """What kind was asked to do; it is a script that does nothing."""
    script(tmp_path / "bin" / "kind", f'echo "$@" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr(images, "build", lambda *_: Images("o:1", "s:1", "o:2"))
    monkeypatch.setattr(clusters, "_kubectl", lambda *_: None)
    return lambda: (tmp_path / "calls").read_text().splitlines()


def interrupted_in_kind():
    with clusters.kind(Engine({}), Progress(io.StringIO()), lambda _: None) as cluster:
        assert cluster.resolves_services
        raise KeyboardInterrupt


def test_kinds_cluster_gets_the_images_and_is_deleted_also_after_a_failure(kind_calls):
    with pytest.raises(KeyboardInterrupt):
        interrupted_in_kind()
    created, *loaded, deleted = kind_calls()
    name = created.partition("--name=")[2]
    assert created == f"create cluster --config={clusters.KIND_SETTINGS} --wait=120s --name={name}"
    assert loaded == [f"load docker-image {image} --name={name}" for image in ("o:1", "o:2", "s:1")]
    assert deleted == f"delete cluster --name={name}"
    assert clusters.KIND_SETTINGS.exists()


def test_all_images_have_names_of_their_own():
    assert len(set(Images().names())) == 3
    assert set(Images().by_target().values()) < set(Images().names())


def test_ci_is_told_by_which_words_packages_were_refused(monkeypatch, tmp_path):
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho no route >&2\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(requirements, "why_not", lambda **_: "")
    monkeypatch.setattr(requirements, "_missing", lambda **_: ["runc"])
    with pytest.raises(requirements.NotInstalledError, match="update --quiet failed: no route"):
        requirements.ensure(Progress(io.StringIO()), engine=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(requirements.NotInstalledError, match="there is no apt-get"):
        requirements.ensure(Progress(io.StringIO()), engine=False)
