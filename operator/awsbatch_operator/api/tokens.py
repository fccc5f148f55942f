"""Client tokens of calls of which a name lets one through: what they make can be made again.

EC2 answers a token that it knows as it did the first time, though what that made is gone since, and
refuses it with other parameters (EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API
requests"). So it is made of the whole request, and means the same for a while only.
"""

from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash

# EC2 refuses the name of a template that is there. One that we have deleted ourselves a moment ago
# is to be made when it is wanted again.
OF_TEMPLATES = 1.0


def with_passing_token(request: Shape, now: Instant, seconds: float) -> Shape:
    """The request with a token that is another one after so many seconds.

    It comes to the request when that is sent: with the time in it, each plan would have other steps
    than the one before, and none would be taken more and more rarely.
    """
    text = canonical(request).decode()
    token = f"awsbatch-{short_hash(text, digits=32)}-{int(now.epoch // seconds)}"
    return {**request, "ClientToken": token}
