"""How to reach the simulated AWS: what its ready file says, as environments and as shell lines."""

import http.client
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from awsbatch_sandbox.errors import SandboxError

TIMEOUT_SECONDS = 30.0
LONG_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class SimulatedAws:
    """A simulator that listens on this machine, and this sandbox's credentials for it."""

    url: str
    region: str
    access_key_id: str
    secret_access_key: str
    admin_token: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the simulator's ready file."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            url=found["url"],
            region=found["region"],
            access_key_id=found["accessKeyId"],
            secret_access_key=found["secretAccessKey"],
            admin_token=found["adminToken"],
        )

    def environment(self) -> dict[str, str]:
        """Variables that lead an AWS client here and nowhere else.

        Configuration files and the metadata service are switched off: nobody's real credentials
        may ever take part.
        """
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def shell_lines(self) -> str:
        """The same for a shell to source; also takes away what would win over it."""
        lines = [
            f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()
        ]
        return "\n".join(["unset AWS_PROFILE AWS_SESSION_TOKEN", *lines, ""])

    def hurry(self, factor: float) -> None:
        """Let AWS's transitions take a fraction of their time, with the clock left right.

        A faster clock would do it too, but its times would lie in everyone else's future. What AWS
        only waits long for or remembers for long stays as it is.
        """
        delays = self.admin("GET", "/_simulator/settings")["delays"]
        shorter = {name: d / factor for name, d in delays.items() if d < LONG_SECONDS}
        self.admin("PUT", "/_simulator/settings", {"delays": shorter})

    def admin(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        may_be_missing: bool = False,
    ) -> Any:
        """Call the simulator's admin interface, such as ("GET", "/_simulator/calls").

        Returns the parsed answer, None if it is empty, or if there is no such thing and
        `may_be_missing` is set; SandboxError for an error answer.
        """
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
        )
        headers = {
            "Authorization": f"Bearer {self.admin_token}",
            "Content-Type": "application/json",
        }
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            content = answer.read().decode()
        finally:
            connection.close()
        if may_be_missing and answer.status == http.HTTPStatus.NOT_FOUND:
            return None
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise SandboxError(f"{method} {path} was refused ({answer.status}): {content}")
        return json.loads(content) if content else None
