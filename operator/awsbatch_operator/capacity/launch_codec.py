"""The annotation `awsbatch.dev/launches`: the record of launches as JSON, with a version.

Total over what we write: what is read back is what was written. Anything else is a RecordError.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from awsbatch_operator.api.encoding import canonical, decoded
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import LAUNCHES, RecordError, Resource, Shape
from awsbatch_operator.capacity.block_record import block_of
from awsbatch_operator.capacity.launches import Intent, Launches, PoolRecord, round_of
from awsbatch_operator.capacity.model import Market, Offer

VERSION = 1
_PARSED = 1024  # texts whose reading is kept: a turn reads the same one several times
# All that reading something that somebody else has written may raise.
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_REMEDY = (
    "Restore it, or remove it: instances of this object are then found by their tags, and nothing "
    "is launched for two minutes."
)


def annotation(launches: Launches) -> dict[str, str]:
    """The annotation to record."""
    body: dict[str, Any] = {
        "v": VERSION,
        "uid": launches.uid,
        "pools": {name: _pool_body(record) for name, record in launches.pools.items()},
    }
    if launches.settled is not None:
        body["settled"] = launches.settled.rfc3339_micro()
    return {LAUNCHES: canonical(body).decode()}


def written(launches: Launches, before: Launches) -> Mapping[str, str]:
    """The annotation to record, unless nothing was ever recorded and nothing is.

    A record in the place of a lost one is written down even if it is empty: what is not written is
    made anew at each look, and the time for which it waits would never be over.
    """
    if launches.pools or before.pools or launches.settled is not None:
        return annotation(launches)
    return {}


def recorded(resource: Resource) -> Launches | None:
    """The object's own record; None if it has none. RecordError if it is damaged.

    A record with another object's uid came along with a copied manifest and says nothing here.
    """
    text = resource.annotations.get(LAUNCHES)
    if text is None:
        return None
    read = parsed(text)
    return read if read.uid == resource.uid else None


@lru_cache(maxsize=_PARSED)
def parsed(text: str) -> Launches:
    """Read an annotation; RecordError if it says nothing that we would have written."""
    try:
        body: dict[str, Any] = decoded(text)
        if body["v"] != VERSION:
            raise ValueError(f"its version is {body['v']!r}, and this operator reads {VERSION}")
        settled = body.get("settled")
        return Launches(
            uid=_text(body["uid"]),
            pools={_text(name): _pool(name, each) for name, each in body["pools"].items()},
            settled=None if settled is None else Instant.parse(settled),
        )
    except _DAMAGED as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else f"{error}"[:200]
        message = f"The annotation {LAUNCHES} cannot be read: {why}"
        raise RecordError(message, _REMEDY) from error


def _pool_body(record: PoolRecord) -> dict[str, Any]:
    body: dict[str, Any] = {"round": record.round}
    if record.intent is not None:
        body["intent"] = _intent_body(record.intent)
    if record.unjoined:
        body["unjoined"] = [[name, at.rfc3339_micro()] for name, at in record.unjoined]
    if record.stopped:
        body["stopped"] = record.stopped
    if record.block:
        body["block"] = record.block
    return body


def _pool(name: str, body: Mapping[str, Any]) -> PoolRecord:
    intent = body.get("intent")
    block: Shape = body.get("block", {})
    if not isinstance(block, Mapping):
        raise TypeError("block is no object")
    block_of(block)  # RecordError if it is damaged
    return PoolRecord(
        round=_count(body["round"]),
        intent=None if intent is None else _intent(name, intent),
        unjoined=tuple(
            (_text(name), Instant.parse(at)) for name, at in _rows(body.get("unjoined", []))
        ),
        stopped=_text(body.get("stopped", "")),
        block=block,
    )


def _intent_body(intent: Intent) -> dict[str, Any]:
    body: dict[str, Any] = {
        "token": intent.token,
        "template": intent.template,
        "version": intent.version,
        "count": intent.count,
        "min": intent.minimum,
        "market": intent.market.value,
        "offers": [_offer_row(each) for each in intent.offers],
        "time": intent.time.rfc3339_micro(),
    }
    if intent.max_price is not None:
        body["maxPrice"] = str(intent.max_price)
    if intent.reservation:
        body["reservation"] = intent.reservation
    if intent.request:
        body["request"] = intent.request
    if intent.end is not None:
        body["end"] = intent.end.rfc3339_micro()
    return body


def _intent(pool: str, body: Mapping[str, Any]) -> Intent:
    written, market = _text(body["token"]), Market(body["market"])
    number = round_of(written)
    if number is None:
        raise ValueError(f"{written[:80]!r} is no token")
    price, end = body.get("maxPrice"), body.get("end")
    return Intent(
        pool=pool,
        token=written,
        round=number,
        template=_text(body["template"]),
        version=_count(body["version"]),
        count=_count(body["count"]),
        minimum=_count(body["min"]),
        market=market,
        offers=tuple(_offer(pool, market, each) for each in _rows(body["offers"])),
        time=Instant.parse(body["time"]),
        max_price=None if price is None else _money(price),
        reservation=_text(body.get("reservation", "")),
        request=_count(body.get("request", 0)),
        end=None if end is None else Instant.parse(end),
    )


def _offer_row(offer: Offer) -> list[str | int | None]:
    price = None if offer.price is None else str(offer.price)
    return [offer.instance_type, offer.zone, offer.subnet, price, offer.vcpus]


def _offer(pool: str, market: Market, row: list[Any]) -> Offer:
    name, zone, subnet, price, vcpus = row
    return Offer(
        pool=pool,
        market=market,
        instance_type=_text(name),
        zone=_text(zone),
        subnet=_text(subnet),
        price=None if price is None else _money(price),
        vcpus=_count(vcpus),
    )


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _money(value: Any) -> Decimal:
    price = Decimal(_text(value))
    if not price.is_finite():
        raise ValueError(f"{value!r} is no price")
    return price
