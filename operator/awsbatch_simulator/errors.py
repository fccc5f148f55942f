"""What a simulated service answers when it refuses."""


class AwsFailure(Exception):  # noqa: N818 - AWS calls it a fault, we a failure
    """An error answer with AWS's own code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def client_exception(message: str) -> AwsFailure:
    """Batch's one error for all that the caller did wrong (HTTP 400)."""
    return AwsFailure("ClientException", message)


def server_exception(message: str) -> AwsFailure:
    """Batch's one error for all that AWS did wrong (HTTP 500)."""
    return AwsFailure("ServerException", message, 500)
