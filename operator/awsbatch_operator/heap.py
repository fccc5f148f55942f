"""The garbage collector's pace. Nothing else of the operator depends on it.

What is decoded and thrown away here has no cycles, so reference counts free it; looking for cycles
among it is in vain. Each look at everything holds the event loop for a tenth of a second once AWS's
service models are loaded, and each look at 50,000 new objects for 16 to 70 ms. See docs/decisions.
"""

import gc

# New containers before the young ones are searched (usually 700), such searches before the middle
# generation is, and those before everything is.
THRESHOLDS = (20_000, 50, 20)


def seldom() -> None:
    """Let the collector run seldom, and never look at what is there now again."""
    gc.set_threshold(*THRESHOLDS)
    spare()


def spare() -> None:
    """Never look at what is there now again. It is freed all the same when nobody refers to it.

    Only a cycle that is garbage by now stays for ever, which is why this is done while the cache is
    filled at the start, and not over and over.
    """
    gc.collect(0)
    gc.freeze()
