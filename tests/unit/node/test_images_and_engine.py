import io
import json
import tarfile

import pytest
from tests.support.deadline import wait_until
from tests.unit.sandbox.scripts import script

from awsbatch_node import archive, engine, images
from awsbatch_node.engine import Engine
from awsbatch_sandbox import processes
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import REPOSITORY
from awsbatch_sandbox.progress import Progress


@pytest.fixture
def written(tmp_path):
    return archive.write(
        tmp_path / "pause.tar",
        name="docker.io/library/p:1",
        entrypoint="/pause",
        files={"pause": b"program"},
        machine="x86_64",
    )


def members(tar):
    with tarfile.open(fileobj=io.BytesIO(tar)) as found:
        return {each.name: (each.mode, content(found, each)) for each in found}


def content(opened, member):
    file = opened.extractfile(member)
    assert file is not None
    return file.read()


def test_an_archive_holds_one_layer_with_programs_that_can_be_run(written):
    found = members(written.read_bytes())
    ((name,), (manifest,)) = (
        json.loads(found["manifest.json"][1])[0]["RepoTags"],
        json.loads(found["manifest.json"][1]),
    )
    assert name == "docker.io/library/p:1"
    config = json.loads(found[manifest["Config"]][1])
    assert config["architecture"] == "amd64"
    assert config["config"]["Entrypoint"] == ["/pause"]
    (layer,) = manifest["Layers"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{archive._digest(found[layer][1])}"]
    assert members(found[layer][1]) == {"pause": (0o755, b"program")}


def test_the_base_of_our_own_dockerfile_is_found():
    base = images.dockerfile_base((REPOSITORY / "Dockerfile").read_text())
    assert base.startswith("python:")
    with pytest.raises(SandboxError, match="names no PYTHON_IMAGE"):
        images.dockerfile_base("FROM scratch\n")


def test_the_images_have_the_names_that_the_simulators_overlay_asks_for():
    text = (REPOSITORY / "deploy/overlays/simulator/kustomization.yaml").read_text()
    for name in images.Images().by_target().values():
        repository, _, tag = name.rpartition(":")
        assert repository in text
        assert f"newTag: {tag}" in text


def test_both_targets_of_the_dockerfile_are_built():
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    for target in images.Images().by_target():
        assert f" AS {target}\n" in dockerfile


def test_another_base_is_handed_to_the_build(tmp_path):
    arguments = {"PYTHON_IMAGE": "mirror/python:3"}
    command = engine.build_words(tmp_path, target="operator", name="o:1", arguments=arguments)
    assert "--build-arg=PYTHON_IMAGE=mirror/python:3" in command
    assert {"--target=operator", "--tag=o:1", str(tmp_path)} < set(command)


def test_our_engine_leaves_the_machines_network_alone(tmp_path):
    command = engine.daemon_words(tmp_path)
    assert {"--bridge=none", "--iptables=false", "--ip6tables=false"} < set(command)
    assert "--net" not in command
    assert f"--cgroup-parent=/{engine.cgroup(tmp_path)}" in command


@pytest.fixture
def docker(tmp_path):
    def make(*lines):
        script(tmp_path / "docker", *lines)
        return Engine({"PATH": f"{tmp_path}:/usr/bin:/bin"})

    return make


def test_what_docker_says_of_a_failure_is_told(docker):
    with pytest.raises(SandboxError, match=r"(?s)docker build \. failed:.*step 3.*no space"):
        docker("echo step 3; echo no space >&2; exit 1")("build", ".")


def test_a_docker_that_does_not_answer_has_failed(docker):
    done = docker("exec /bin/sleep 60").run("pull", "x", seconds=0.05)
    assert done.returncode != 0
    assert "no answer within" in done.stderr


def test_both_images_are_built_at_the_same_time_as_something_else(docker, tmp_path):
    line = f'[ "$1" != build ] || {{ while [ ! -e {tmp_path}/else ]; do :; done; }}; echo "$1"'
    with images.building(docker(f"{line} >> {tmp_path}/done"), Progress(io.StringIO())) as built:
        (tmp_path / "else").touch()
        assert built() == images.Images()
    assert (tmp_path / "done").read_text().split() == ["image", "build", "build", "tag"]


def test_an_image_that_is_not_built_is_told_with_dockers_last_words(docker):
    engine = docker('[ "$1" != build ] || { echo step 3; echo no space >&2; exit 1; }')
    told = r"(?s)image of the operator was not built.*step 3.*no space"
    with pytest.raises(SandboxError, match=told):
        images.build(engine, Progress(io.StringIO()))


def test_a_build_that_nobody_waits_for_ends_with_the_block(docker, tmp_path):
    engine = docker(f'[ "$1" != build ] || {{ echo $$ >> {tmp_path}/pids; exec sleep 600; }}')
    with images.building(engine, Progress(io.StringIO())):
        begun = wait_until(lambda: pids(tmp_path), "both builds have begun")
    assert [pid for pid in begun if processes.look(pid)] == []


def pids(place):
    """Those of both builds; none before both have begun."""
    path = place / "pids"
    found = path.read_text().splitlines() if path.exists() else []
    return [int(line) for line in found] if len(found) == len(images.Images().by_target()) else []


def test_a_base_is_made_with_mounts_of_its_own_and_a_failure_says_the_way_around(
    monkeypatch, tmp_path
):
    script(tmp_path / "unshare", 'echo "$@"; echo no mirror >&2; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    told = r"(?s)--mount .*--kill-child debootstrap .*no mirror.*E2E_PYTHON_IMAGE"
    with pytest.raises(SandboxError, match=told):
        images._make_base(Engine({}))


@pytest.mark.parametrize(
    ("given", "has", "pulls", "expected"),
    [
        ("mirror/python:3", False, True, "mirror/python:3"),
        ("", False, True, ""),
        ("", True, False, images.OWN_BASE),
        ("", False, False, images.OWN_BASE),
    ],
)
def test_the_base_is_the_named_one_else_the_dockerfiles_else_ours(
    docker, monkeypatch, *, given, has, pulls, expected
):
    answer = {True: "exit 0", False: "exit 1"}
    monkeypatch.setenv(images.BASE, given)
    monkeypatch.setattr(images, "_make_base", lambda _: None)
    inspect = f'[ "$3" = {images.OWN_BASE} ] && {answer[has]}; exit 1'
    made = docker(f'case "$1" in image) {inspect};; pull) {answer[pulls]};; esac')
    assert images.base_image(made, Progress(io.StringIO())) == expected
