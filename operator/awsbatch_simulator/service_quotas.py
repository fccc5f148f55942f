"""Service Quotas: the vCPU quotas of EC2, as EC2 itself holds launches to them.

Source: GetServiceQuota, ListServiceQuotas, GetAWSDefaultServiceQuota and
ListAWSDefaultServiceQuotas in the API reference of Service Quotas.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_simulator import positions
from awsbatch_simulator.context import Caller
from awsbatch_simulator.ec2 import quotas
from awsbatch_simulator.ec2.quotas import Quota
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import Handler, World

Fields = dict[str, Any]
SERVICE_CODE = "ec2"
PAGES = range(1, 101)


class ServiceQuotas:
    """The quotas of every account of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "GetServiceQuota": self.get,
            "ListServiceQuotas": self.list,
            "GetAWSDefaultServiceQuota": self.get_default,
            "ListAWSDefaultServiceQuotas": self.list_defaults,
        }

    def get(self, caller: Caller, request: Fields) -> Fields:
        """The account's figure."""
        quota = _find(request)
        return {"Quota": self._applied(caller, quota)}

    def list(self, caller: Caller, request: Fields) -> Fields:
        """The account's figures of a service, by page."""
        wanted = request.get("QuotaCode")
        found = [
            self._applied(caller, each) for each in _all(request) if wanted in {None, each.code}
        ]
        return _page(found, request)

    def get_default(self, caller: Caller, request: Fields) -> Fields:
        """AWS's figure for a new account."""
        quota = _find(request)
        return {"Quota": _view(caller, quota, quota.default)}

    def list_defaults(self, caller: Caller, request: Fields) -> Fields:
        """AWS's figures of a service, by page."""
        return _page([_view(caller, each, each.default) for each in _all(request)], request)

    def _applied(self, caller: Caller, quota: Quota) -> Fields:
        figure = quotas.applied(self._world.settings.market, quota)
        return _view(caller, quota, figure) | {"QuotaAppliedAtLevel": "ACCOUNT"}


def _all(request: Fields) -> list[Quota]:
    if request["ServiceCode"] != SERVICE_CODE:
        raise _unknown()
    return list(quotas.every())


def _find(request: Fields) -> Quota:
    found = quotas.QUOTAS.get(request["QuotaCode"])
    if found is None or request["ServiceCode"] != SERVICE_CODE:
        raise _unknown()
    return found


def _unknown() -> AwsFailure:
    message = "The request failed because the specified service or quota does not exist."
    return AwsFailure("NoSuchResourceException", message)


def _view(caller: Caller, quota: Quota, figure: float) -> Fields:
    place = caller.place
    arn = f"arn:aws:servicequotas:{place.region}:{place.account}:{SERVICE_CODE}/{quota.code}"
    return {
        "ServiceCode": SERVICE_CODE,
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": arn,
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": figure,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _page(found: Sequence[Fields], request: Fields) -> Fields:
    shown, token = positions.page(
        found,
        request,
        sizes=PAGES,
        wrong_place="InvalidPaginationTokenException",
        wrong_size="IllegalArgumentException",
    )
    answer: Fields = {"Quotas": shown}
    return answer | ({"NextToken": token} if token else {})
