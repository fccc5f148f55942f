"""`userdata -f`: what it prints of a file, and what it says of one that it cannot read."""

import base64

import pytest
import yaml
from tests.unit.userdata.wishes import SCRIPT

from awsbatch_operator.__main__ import main
from awsbatch_operator.userdata.model import Given, Refused
from awsbatch_operator.userdata.pools import pool_user_data

POOLS = [
    {
        "name": "main",
        "market": "Spot",
        "instanceTypes": ["g5.xlarge"],
        "image": {"amiId": "ami-1"},
        "userData": {"script": SCRIPT, "ecsConfig": {"ECS_LOGLEVEL": "debug"}},
    },
    {"name": "block", "market": "SpotBlock", "spotBlock": {"durationSeconds": 14400}},
]


def manifest(pools=POOLS, **spec):
    return yaml.safe_dump(
        {
            "apiVersion": "awsbatch.dev/v1alpha1",
            "kind": "ComputeEnvironment",
            "metadata": {"name": "lab"},
            "spec": {"type": "UNMANAGED", **spec, "capacity": {"pools": pools}},
        }
    )


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on a file with that content; returns code, output and errors."""

    def running(text, *flags):
        path = tmp_path / "file.yaml"
        path.write_text(text)
        code = main(["userdata", "-f", str(path), *flags])
        said = capsys.readouterr()
        return code, said.out, said.err.replace(str(tmp_path), "")

    return running


def test_each_pool_is_shown_with_every_line_that_its_instances_get(run):
    code, out, err = run(manifest(region="eu-central-1"))
    assert (code, err) == (0, "")
    assert "=== ComputeEnvironment lab, pool main: " in out
    assert SCRIPT in out
    assert "AWS_DEFAULT_REGION=eu-central-1\n" in out
    assert "ECS_ENABLE_GPU_SUPPORT=true\n" in out
    assert "ECS_LOGLEVEL=debug\n" in out
    assert out.index("pool main") < out.index("pool block") < out.index("awsbatch-deadline")


def test_what_is_only_known_in_aws_is_marked_explained_and_always_the_same(run):
    first, second = run(manifest()), run(manifest())
    assert first == second
    for placeholder in (
        "CLUSTER-OF-THE-ENVIRONMENT",
        "CLUSTER-ID-OF-THE-OPERATOR",
        "UID-OF-THE-OBJECT",
        "IMAGE-OF-THE-POOL",
        "REGION-OF-THE-ACCOUNT",
        "4102444800",
    ):
        assert f"\n{placeholder}: " in first[1]
    assert "IMAGE-OF-THE-POOL" not in run(manifest(POOLS[:1]))[1]


def test_raw_is_the_very_bytes(run):
    code, out, _ = run(manifest(), "--raw")
    lines = [line.split(" ") for line in out.splitlines()]
    assert code == 0
    assert [line[:2] for line in lines] == [["lab", "main"], ["lab", "block"]]
    assert base64.b64decode(lines[0][2]).startswith(b"Content-Type: multipart/mixed;")


def test_what_is_wrong_is_told_by_its_path_and_the_sound_pools_are_shown(run):
    bad = {"name": "bad", "userData": {"script": "systemctl start ecs\n", "cloudconfig": "x"}}
    worse = {"name": "worse", "userData": {"script": "systemctl start ecs\n"}}
    code, out, err = run(manifest([*POOLS, bad, worse]))
    assert code == 1
    assert "pool block" in out
    first, second = err.splitlines()
    where = "aws-batch-operator: /file.yaml: ComputeEnvironment lab: spec.capacity.pools[name="
    assert first.startswith(f"{where}bad].userData.cloudconfig: is no field.")
    assert second.startswith(f"{where}worse].userData.script: line 1 starts ecs")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no ComputeEnvironment of awsbatch.dev with pools"),
        ("a: [", "no valid YAML"),
        ("kind: ComputeEnvironment\napiVersion: v1\n", "no ComputeEnvironment of awsbatch.dev"),
        (manifest([{"market": "Spot"}]), "has no name"),
        (manifest(["x"]), "is no mapping"),
        (manifest([{"name": "a", "market": "Cheap"}]), "is 'Cheap'"),
        (manifest([{"name": "a", "userData": "x"}]), "is no mapping"),
        (manifest([{"name": "a", "userData": {"script": 5}}]), "is no text"),
        (manifest([{"name": "a", "userData": {"ecsConfig": {"A": True}}}]), 'quotes: "true"'),
        (manifest([{"name": "a", "userData": {"ecsConfig": []}}]), "is no mapping"),
    ],
)
def test_a_file_that_makes_no_sense_is_told_in_words(run, text, said):
    code, out, err = run(text)
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_is_told(capsys):
    assert main(["userdata", "-f", "/nowhere.yaml"]) == 2
    assert "/nowhere.yaml" in capsys.readouterr().err


def test_a_cloud_config_may_be_written_as_a_mapping():
    pool = {"name": "a", "userData": {"cloudConfig": {"packages": ["htop"]}}}
    read = pool_user_data(pool)
    assert not isinstance(read, Refused)
    assert read.given == Given(cloud_config="#cloud-config\npackages:\n- htop\n")


def test_a_pool_is_read_with_what_the_api_gives_by_default():
    read = pool_user_data({"name": "a", "spotBlock": {"blockDurationMinutes": 120}})
    assert not isinstance(read, Refused)
    assert (read.market, read.image_id, read.gpu, read.block_seconds) == (
        "OnDemand",
        "",
        False,
        7200,
    )
    wanted = {"acceleratorCount": {"min": 1}}
    with_gpu = pool_user_data({"name": "a", "instanceRequirements": wanted})
    assert not isinstance(with_gpu, Refused)
    assert with_gpu.gpu
