"""What shellcheck makes of the script that runs several tasks in one job."""

from tests.support import cloud_init

from awsbatch_operator.kinds.batchjob.packing import SCRIPT


def test_shellcheck_finds_nothing_in_it(tmp_path):
    assert cloud_init.shellcheck({"packing": f"#!/bin/sh\n{SCRIPT}"}, tmp_path) == ""
