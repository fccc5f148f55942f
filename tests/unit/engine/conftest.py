import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def logs():
    """What is logged, as dictionaries; nothing is printed."""
    with capture_logs(processors=[merge_contextvars]) as captured:
        yield captured
