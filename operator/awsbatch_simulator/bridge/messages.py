"""Messages into moto's SQS queues."""

from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.context import Place


class MotoMessages:
    """The Messages port over moto."""

    def __init__(self, bridge: MotoBridge) -> None:
        self._bridge = bridge

    def send(self, place: Place, queue: str, body: str) -> None:
        """Put a message into the queue of that name; where there is none it is lost."""
        if not self._bridge.touched("sqs", place):  # then nobody can have made a queue there
            return
        backend = self._bridge.backend("sqs", place)
        if queue in backend.queues:
            backend.send_message(queue, body)
