"""What a simulated service answers when it refuses."""


class AwsFailure(Exception):  # noqa: N818 - AWS calls it a fault, we a failure
    """An error answer with AWS's own code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def not_implemented(service: str, what: str) -> AwsFailure:
    """What the simulator answers where AWS would do something. Not retried by AWS's clients."""
    return AwsFailure("NotImplemented", f"The simulator does not implement {service}: {what}.", 501)


def server_exception(message: str) -> AwsFailure:
    """Batch's one error for all that AWS did wrong (HTTP 500)."""
    return AwsFailure("ServerException", message, 500)
