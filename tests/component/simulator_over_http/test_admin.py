"""The admin interface, over HTTP."""

import json

import pytest
from tests.support.simulated_aws import ONCE, admin, http_session, make_simulator, request, served


def refused(url, simulator, method, path, body=None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {simulator.admin_token}"}
    status, _, content = request(url, method, f"/_simulator/{path}", body, headers)
    return status, json.loads(content)["message"]


@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", "Bearer wrong", "Basic {token}", "{token}"]
)
def test_without_the_token_nothing_is_answered(simulator, url, authorization):
    headers = {"Authorization": authorization.format(token=simulator.admin_token)}
    for method, path in (("GET", "state"), ("PUT", "settings"), ("POST", "faults")):
        status, _, body = request(url, method, f"/_simulator/{path}", {}, headers)
        assert status == 401
        assert b"adminToken" in body


def test_calls_are_counted_by_operation_outcome_and_principal_until_reset(simulator, url, loader):
    sts = http_session(simulator, loader).client("sts", endpoint_url=url, config=ONCE)
    sts.get_caller_identity()
    sts.get_caller_identity()
    sts.close()
    answer = admin(url, simulator, "GET", "calls")
    assert answer["total"] == 2
    assert answer["services"] == {"sts": {"GetCallerIdentity": 2}}
    [call] = answer["calls"]
    assert call == {
        "service": "sts",
        "operation": "GetCallerIdentity",
        "outcome": "OK",
        "account": "111122223333",
        "region": "eu-central-1",
        "principal": "arn:aws:iam::111122223333:user/sandbox",
        "count": 2,
    }
    admin(url, simulator, "DELETE", "calls")
    assert admin(url, simulator, "GET", "calls")["total"] == 0


def test_settings_are_merged_and_come_back_whole(simulator, url):
    before = admin(url, simulator, "GET", "settings")
    after = admin(
        url, simulator, "PUT", "settings", {"delays": {"jobStarting": 0}, "maxOutputBytes": 7}
    )
    assert after["delays"]["jobStarting"] == 0
    assert after["maxOutputBytes"] == 7
    kept = {"delays": before["delays"], "maxOutputBytes": before["maxOutputBytes"]}
    untouched = {**after, **kept}
    assert untouched == before
    assert admin(url, simulator, "GET", "settings") == after


def test_settings_that_came_back_can_be_put_again(simulator, url):
    settings = admin(url, simulator, "GET", "settings")
    assert admin(url, simulator, "PUT", "settings", settings) == settings


def test_jobs_are_never_turned_into_processes_while_it_runs(simulator, url):
    change = {"jobRunner": "process", "speed": 7}
    status, message = refused(url, simulator, "PUT", "settings", change)
    assert status == 409
    assert "--job-runner process" in message
    settings = admin(url, simulator, "GET", "settings")
    assert (settings["jobRunner"], settings["speed"]) == ("script", simulator.world.clock.speed)


def test_a_simulator_that_was_started_with_processes_takes_its_settings_back(simulator, url):
    started = simulator.world.settings.patched({"jobRunner": "process"})
    simulator.world.change(started)  # as its start does
    settings = admin(url, simulator, "GET", "settings")
    assert admin(url, simulator, "PUT", "settings", settings) == settings
    assert admin(url, simulator, "PUT", "settings", {"jobRunner": "script"}) != settings
    assert refused(url, simulator, "PUT", "settings", settings)[0] == 409


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"sped": 1}, "sped"),
        ({"speed": 0}, "speed"),
        ({"delays": {"jobStarting": -1}}, "delays.jobStarting"),
        ({"jobRunner": "docker"}, "jobRunner"),
        ({"limits": {"requests": {"batch:submit": {"rate": "x"}}}}, "rate"),
        ([1], "object"),
        (b"{", "JSON"),
    ],
)
def test_settings_that_make_no_sense_change_nothing_and_are_named(simulator, url, body, named):
    before = admin(url, simulator, "GET", "settings")
    status, message = refused(url, simulator, "PUT", "settings", body)
    assert status == 400
    assert named in message
    assert admin(url, simulator, "GET", "settings") == before


def test_a_limit_can_be_changed_while_running(simulator, url):
    bucket = {"requests": {"batch:submit": {"rate": 500, "burst": 500}}}
    answer = admin(url, simulator, "PUT", "settings", {"limits": bucket})
    assert answer["limits"]["requests"]["batch:submit"]["operations"] == ["SubmitJob"]
    assert simulator.world.settings.limits.requests["batch:submit"].rate == 500


def test_faults_are_put_in_place_listed_and_removed(simulator, url, loader):
    fault = {"effect": "error", "service": "sts", "code": "Oops", "status": 500, "times": 1}
    made = admin(url, simulator, "POST", "faults", fault)
    other = admin(url, simulator, "POST", "faults", {"effect": "throttle", "service": "ecs"})
    sts = http_session(simulator, loader).client("sts", endpoint_url=url, config=ONCE)
    with pytest.raises(sts.exceptions.ClientError, match="Oops"):
        sts.get_caller_identity()
    sts.close()
    first, second = admin(url, simulator, "GET", "faults")["faults"]
    assert (first["id"], first["struck"], first["spent"]) == (made["id"], 1, True)
    assert (second["id"], second["struck"]) == (other["id"], 0)
    assert admin(url, simulator, "DELETE", f"faults/{made['id']}") == {"removed": 1}
    assert admin(url, simulator, "DELETE", "faults") == {"removed": 1}
    assert admin(url, simulator, "GET", "faults") == {"faults": []}
    assert refused(url, simulator, "DELETE", "faults/fault-1")[0] == 404


def test_a_fault_that_makes_no_sense_is_refused_by_name(simulator, url):
    status, message = refused(url, simulator, "POST", "faults", {"effect": "hide"})
    assert (status, "seconds" in message) == (400, True)


def test_the_clock_is_stepped_on_request(simulator, url):
    ran = []
    simulator.world.clock.call_after(60, lambda: ran.append(1))
    before = admin(url, simulator, "GET", "clock")
    assert before["stepped"]
    assert before["nextTimer"] == before["now"] + 60
    after = admin(url, simulator, "POST", "clock", {"advanceSeconds": 61})
    assert (after["ran"], after["now"], ran) == (1, before["now"] + 61, [1])


@pytest.mark.parametrize("seconds", [-1, "10", None, 1e12])
def test_a_step_that_makes_no_sense_is_refused(simulator, url, seconds):
    status, message = refused(url, simulator, "POST", "clock", {"advanceSeconds": seconds})
    assert (status, "advanceSeconds" in message) == (400, True)


def test_a_live_clock_can_be_moved_on_too():
    simulator = make_simulator(stepped=False)
    with served(simulator) as url:
        before = admin(url, simulator, "GET", "clock")
        after = admin(url, simulator, "POST", "clock", {"advanceSeconds": 3600})
    assert not before["stepped"]
    assert after["now"] - before["now"] >= 3600


def test_the_state_counts_what_each_region_holds(simulator, url, loader):
    session = http_session(simulator, loader)
    logs = session.client("logs", endpoint_url=url, config=ONCE)
    logs.create_log_group(logGroupName="/aws/batch/job")
    logs.close()
    simulator.world.region(simulator.place)
    [region] = admin(url, simulator, "GET", "state")["regions"]
    assert (region["account"], region["region"]) == ("111122223333", "eu-central-1")
    assert region["logs"]["groups"] == 1


def test_an_unknown_path_lists_the_known_ones(simulator, url):
    status, message = refused(url, simulator, "GET", "jobs")
    assert status == 404
    assert "GET /_simulator/state" in message


def test_the_state_tells_how_many_timers_have_failed_and_the_server_goes_on(
    simulator, url, failed_timers
):
    assert admin(url, simulator, "GET", "state")["failedTimers"] == 0
    simulator.world.clock.call_after(1, [].pop)
    admin(url, simulator, "POST", "clock", {"advanceSeconds": 5})
    assert admin(url, simulator, "GET", "state")["failedTimers"] == len(failed_timers) == 1
    failed_timers.clear()


def test_a_newer_public_image_comes_out_and_an_old_one_is_withdrawn(simulator, session, url):
    ssm, ec2 = (session.client(name, endpoint_url=url) for name in ("ssm", "ec2"))
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    old = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    told = admin(url, simulator, "POST", "images", {"deed": "publish"})
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == told["imageId"] != old
    [found] = ec2.describe_images(ImageIds=[told["imageId"]])["Images"]
    assert found["Name"] == told["imageName"]
    admin(url, simulator, "POST", "images", {"deed": "withdraw", "imageId": old})
    everything = ec2.describe_images(Owners=["amazon"])["Images"]
    assert old not in {each["ImageId"] for each in everything}
    for wrong, status in (({"deed": "burn"}, 400), ({"deed": "withdraw"}, 404)):
        assert refused(url, simulator, "POST", "images", wrong)[0] == status


def test_incidents_befall_the_instances_that_an_order_means(simulator, session, url):
    ec2 = session.client("ec2", config=ONCE)
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    ids = [
        ec2.run_instances(
            ImageId="ami-12c6146b", InstanceType=name, MinCount=1, MaxCount=1, **spot
        )["Instances"][0]["InstanceId"]
        for name in ("m5.large", "c5.large")
    ]
    order = {"incident": "interrupt", "match": {"instanceType": "m5.*"}, "seconds": 5}
    assert admin(url, simulator, "POST", "instances", order) == {"struck": ids[:1]}
    simulator.world.advance(5)
    states = {
        one["InstanceId"]: one["State"]["Name"]
        for group in ec2.describe_instances()["Reservations"]
        for one in group["Instances"]
    }
    assert states == {ids[0]: "shutting-down", ids[1]: "pending"}
    status, message = refused(url, simulator, "POST", "instances", {"incident": "explode"})
    assert (status, "incident" in message) == (400, True)
    market = {"market": {"capacity": {"m5.large": 1}}}
    status, message = refused(url, simulator, "PUT", "settings", market)
    assert (status, "MARKET:TYPE:ZONE" in message) == (400, True)
