import pytest
from structlog.testing import capture_logs

from awsbatch_operator.telemetry.logs import name_the_object


@pytest.fixture(autouse=True)
def logs():
    """What is logged, as dictionaries; nothing is printed."""
    with capture_logs(processors=[name_the_object]) as captured:
        yield captured
