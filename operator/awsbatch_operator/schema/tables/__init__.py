"""What AWS's model leaves out, shape by shape, and which shapes that table knows."""

from awsbatch_operator.schema.additions import Additions
from awsbatch_operator.schema.tables import (
    container,
    environment,
    job,
    nodes,
    pod,
    queue,
    task,
    volume,
)


def additions() -> Additions:
    """The whole table, by the shape's name in AWS's model."""
    return {
        **environment.SHAPES,
        **queue.SHAPES,
        **container.SHAPES,
        **volume.SHAPES,
        **task.SHAPES,
        **nodes.SHAPES,
        **pod.SHAPES,
        **job.SHAPES,
    }
