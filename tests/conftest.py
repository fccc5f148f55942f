"""How many examples property tests try: a few at every change, many when somebody has the time.

HYPOTHESIS_PROFILE=thorough asks for more. A test that costs more than a millisecond an example says
in a comment why it sets a number of its own.
"""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=40, deadline=None)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True, print_blob=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "quick")
)
