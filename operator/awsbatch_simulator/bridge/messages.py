"""Messages into moto's SQS queues."""

from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Place


class MotoMessages:
    """The Messages port over moto."""

    def __init__(self, bridge: MotoBridge, clock: SimulatedClock) -> None:
        self._bridge = bridge
        self._clock = clock

    def send(self, place: Place, queue: str, body: str) -> None:
        """Put a message into the queue of that name; where there is none it is lost."""
        if not self._bridge.touched("sqs", place):  # then nobody can have made a queue there
            return
        backend = self._bridge.backend("sqs", place)
        if queue in backend.queues:
            sent = backend.send_message(queue, body)
            sent.sent_timestamp = int(self._clock.now() * 1000)
