"""The packages of the operator's image as a whole, in a Python that has nothing else.

Apart from the other tests because it compiles all of them.
"""

import re

import pytest
from tests.support.image import Tree, locked
from tools import image_tree

EVERY_MODULE = """
import importlib, pkgutil, sys
import awsbatch_operator
for each in pkgutil.walk_packages(awsbatch_operator.__path__, "awsbatch_operator."):
    importlib.import_module(each.name)
strangers = {
    file for module in sys.modules.values() if (file := getattr(module, "__file__", None))
    and not file.startswith((sys.prefix, sys.base_prefix))
}
sys.exit(f"from elsewhere: {strangers}" if strangers else 0)
"""
EVERY_CLIENT = """
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.models import service_models
import botocore.session
from botocore import xform_name
loader, session = service_models(), botocore.session.Session()
session.register_component("data_loader", loader)
keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s"}
for call in CALLS:
    client = session.create_client(call.service, region_name="eu-central-1", **keys)
    getattr(client, xform_name(call.operation))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("image"))


@pytest.mark.timeout(300)
def test_nothing_is_in_it_that_only_builds_tests_or_tries(tree: Tree):
    files = image_tree.files_of(tree.site)
    assert image_tree.forbidden(files) == []
    assert image_tree.uncompiled(tree.site) == []
    packages = {path.parts[0] for path in files}
    assert "awsbatch_operator" in packages
    found = {name.partition("-")[0] for name in packages if name.endswith(".dist-info")}
    assert found == {re.sub(r"[-.]", "_", name) for name in locked()}
    assert not packages & {"boto3", "kubernetes", "pip", "setuptools", "moto"}


@pytest.mark.timeout(300)
def test_every_module_of_the_operator_is_imported_from_it_and_from_nowhere_else(tree: Tree):
    done = tree.run(EVERY_MODULE)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_every_call_to_aws_finds_its_model_in_it(tree: Tree):
    done = tree.run(EVERY_CLIENT)
    assert done.returncode == 0, done.stderr
    kept = {path.name for path in (tree.site / "botocore/data").iterdir() if path.is_dir()}
    assert kept == image_tree.called_services()


@pytest.mark.timeout(300)
def test_it_is_not_larger_than_it_has_to_be(tree: Tree):
    assert tree.bytes < 75e6
