"""AWS clients without what costs time and means nothing to a simulated AWS.

A crash test makes some hundred thousand calls. A quarter of botocore's time for a call goes into
the signature, which the simulator does not check. And each of some thousand operators makes a
session with two hundred handlers of events and a client for each service: a third of that time goes
into what botocore finds out about each name and handler.
"""

import functools
import gc
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from botocore import compat, hooks

_DATE = "20270115"


def unburden(client: Any) -> None:
    """Let a botocore client say who it is without signing."""
    client._request_signer.sign = functools.partial(_say_who, client._request_signer)


@contextmanager
def cheap_sessions() -> Iterator[None]:
    """Let all sessions of botocore share what they find out about their handlers of events."""
    aliased = hooks.EventAliaser._alias_event_name
    names: dict[str, str] = {}  # the aliases are the same ones in every session

    def alias(aliaser: Any, name: str) -> str:
        found = names.get(name)
        if found is None:
            found = names[name] = aliased(aliaser, name)
        return found

    with (
        mock.patch.object(hooks.EventAliaser, "_alias_event_name", alias),
        mock.patch.object(hooks, "accepts_kwargs", _accepts_kwargs),
    ):
        yield


def collect_garbage_rarely() -> None:
    """Keep what is there now (modules, AWS's models) out of the search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _accepts_kwargs(handler: Any) -> bool:
    """As botocore's own, without the whole signature."""
    code = getattr(handler, "__code__", None)
    if code is None:
        return bool(compat.accepts_kwargs(handler))
    return bool(code.co_flags & inspect.CO_VARKEYWORDS)


def _say_who(signer: Any, operation: str, request: Any, **_options: Any) -> None:
    del operation
    key = signer._credentials.get_frozen_credentials()
    scope = f"{key.access_key}/{_DATE}/{signer._region_name}/{signer.signing_name}/aws4_request"
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"
    )
    if key.token:
        request.headers["X-Amz-Security-Token"] = key.token
