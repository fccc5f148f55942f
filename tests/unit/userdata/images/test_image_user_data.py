"""What builders and verifiers get, without running it: order, size, options of mounts."""

import random
import zlib
from dataclasses import replace

import pytest
from tests.unit.userdata.images.recipes import (
    CLUSTER,
    EFS,
    EVERYTHING,
    NFS,
    NONCE,
    PLAIN,
    PRIVATE,
    SCRATCH,
    TUNE,
    all_user_data,
    build,
    verify,
)

from awsbatch_operator.userdata.images import mounts
from awsbatch_operator.userdata.images.build import build_user_data
from awsbatch_operator.userdata.images.model import File, Recipe, Script, UserDataTooLongError
from awsbatch_operator.userdata.model import BYTES_LIMIT


def noise(characters):
    """Letters that do not compress."""
    return "".join(
        random.Random(characters).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=characters)
    )


def test_the_same_recipe_makes_the_same_bytes():
    assert all_user_data() == all_user_data()


def test_everything_together_needs_no_compression():
    assert len(build(EVERYTHING)) <= BYTES_LIMIT
    assert not build(EVERYTHING).startswith(b"\x1f\x8b")


def test_a_long_one_is_compressed_and_a_longer_one_refused_with_what_is_largest():
    long = replace(EVERYTHING, scripts=(Script("long", "echo line\n" * 5000, 60),))
    made = build(long)
    assert len(made) <= BYTES_LIMIT
    assert zlib.decompress(made, wbits=31).count(b"echo line\n") == 5000
    tables = File("/opt/tables", "0644", noise(30_000) + "\n")
    with pytest.raises(UserDataTooLongError) as refused:
        build(replace(long, files=(tables,)))
    assert refused.value.size > refused.value.limit == BYTES_LIMIT
    assert refused.value.largest.startswith("spec.files[path=/opt/tables] (")
    assert f"{refused.value.size:,} bytes even compressed" in str(refused.value)


def test_the_longest_script_is_named_when_it_is_the_largest():
    with pytest.raises(UserDataTooLongError, match=r"spec\.scripts\[name=tune\]"):
        build(Recipe(scripts=(Script("tune", noise(30_000), 60),)))


def test_functions_are_sent_only_where_a_step_calls_them():
    plain = build(PLAIN).decode()
    for name in ("packages", "volume", "container_image", "put", "kernel", "helper", "network"):
        assert f"\n{name}() {{" not in plain
        assert f"\n{name}() {{" in build(EVERYTHING).decode()


@pytest.mark.parametrize("nonce", ["", "a b", "a'b", "é", "a\nb"])
def test_a_nonce_of_other_characters_is_refused(nonce):
    with pytest.raises(ValueError, match="nonce"):
        build_user_data(PLAIN, nonce=nonce, timeout_seconds=60)


def test_the_limit_is_the_first_thing_that_a_boot_does():
    for made in (build(PLAIN).decode(), verify(PLAIN).decode()):
        first, second = made.index("--on-active="), made.index("#cloud-boothook", 500)
        assert first < made.index("ecs")
        assert first < second


def test_a_verifier_joins_its_cluster_and_a_builder_none():
    assert f"\nECS_CLUSTER={CLUSTER}\n" in verify(PLAIN).decode()
    assert "ECS_CLUSTER=m" not in build(EVERYTHING).decode()
    assert NONCE in verify(PLAIN).decode()


@pytest.mark.parametrize(
    ("mount", "options"),
    [
        (EFS, "_netdev,nofail"),
        (replace(EFS, tls=True), "_netdev,nofail,tls"),
        (replace(EFS, iam=True), "_netdev,nofail,tls,iam"),
        (replace(EFS, access_point_id="fsap-1"), "_netdev,nofail,tls,accesspoint=fsap-1"),
        (replace(EFS, options=("iam",)), "_netdev,nofail,tls,iam"),
        (PRIVATE, f"_netdev,nofail,tls,iam,accesspoint={PRIVATE.access_point_id}"),
        (replace(PRIVATE, options=("iam", "nofail")), None),
        (replace(NFS, options=("soft", "nfsvers=4.0")), None),
    ],
)
def test_options_follow_the_rules_of_efs_and_the_advice_for_nfs(mount, options):
    made = mounts.options(mount).split(",")
    assert made[:2] == ["_netdev", "nofail"]
    names = [each.partition("=")[0] for each in made]
    assert len(set(names)) == len(names)
    assert not {"hard", "soft"} <= set(names)
    assert ("tls" in names) >= bool({"iam", "accesspoint"} & set(names))
    if options is not None:
        assert made == options.split(",")


def test_with_an_access_point_its_own_root_is_mounted():
    deep = replace(EFS, path="/home")
    assert mounts.source(deep) == f"{EFS.source}:/home"
    assert mounts.source(replace(deep, access_point_id="fsap-1")) == f"{EFS.source}:/"
    assert mounts.source(replace(EFS, path="")) == f"{EFS.source}:/"


def test_without_mounts_nothing_waits_for_any():
    assert mounts.guard(Recipe(volumes=(replace(SCRATCH, mount_path=""),), scripts=(TUNE,))) == ""
    assert "ecs.service.d" not in build(Recipe(scripts=(TUNE,))).decode()


def test_a_private_container_of_the_boot_test_is_pulled_with_the_instance_profile():
    registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
    made = verify(PLAIN, (f"{registry}/atmos", "true")).decode()
    assert f'{{"credHelpers": {{"{registry}": "ecr-login"}}}}' in made
    assert made.index("\nregistries <<") < made.index("\nrun_container ")
    assert "\npackages() {" in made
    assert "registries" not in verify(PLAIN, ("alpine", "true")).decode()
