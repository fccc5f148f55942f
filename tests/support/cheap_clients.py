"""AWS clients without what costs time and means nothing to a simulated AWS.

A crash test makes some hundred thousand calls. A third of botocore's time for a call goes into the
signature, which the simulator does not check, and the user agent, which it does not read.
"""

import functools
import gc
from typing import Any

_DATE = "20270115"


def unburden(client: Any) -> None:
    """Let a botocore client say who it is without signing, and call itself by one constant name."""
    client._user_agent_creator.to_string = lambda: "crash-tests"
    client._request_signer.sign = functools.partial(_say_who, client._request_signer)
    events = client.meta.events
    events._alias_event_name = functools.cache(events._alias_event_name)


def collect_garbage_rarely() -> None:
    """Keep what is there now (modules, AWS's models) out of the search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _say_who(signer: Any, operation: str, request: Any, **_options: Any) -> None:
    del operation
    key = signer._credentials.get_frozen_credentials()
    scope = f"{key.access_key}/{_DATE}/{signer._region_name}/{signer.signing_name}/aws4_request"
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"
    )
    if key.token:
        request.headers["X-Amz-Security-Token"] = key.token
