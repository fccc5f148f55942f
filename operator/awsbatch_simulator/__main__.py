"""`python -m awsbatch_simulator`: serve AWS until SIGTERM or SIGINT."""

import argparse
import asyncio
import gc
import json
import logging
import os
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from awsbatch_simulator import assembly, seeds
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Place
from awsbatch_simulator.given import GivenSecrets, RefusedStartError, check_reach, with_file
from awsbatch_simulator.host.boots import NoNamespacesError, executes
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.limits import RequestLimits
from awsbatch_simulator.server import HOST, serving
from awsbatch_simulator.settings import JobRunner, Settings

# Most objects here live long and without cycles, so looking for cycles seldom is enough.
GC_THRESHOLDS = (50_000, 20, 100)


def main() -> None:
    """Parse the command line and serve."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        executes(UserDataMode(options.user_data), ci=os.environ.get("CI") == "true")
        simulator = _built(options)
    except (NoNamespacesError, RefusedStartError) as refused:
        sys.exit(str(refused))
    asyncio.run(_serve(simulator, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="awsbatch_simulator",
        description="AWS for people without an account. See docs/simulator.md.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument(
        "--ready-file", type=Path, help="where to write address and credentials as JSON, once ready"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a real one")
    parser.add_argument("--stepped", action="store_true", help="time moves on request only")
    parser.add_argument(
        "--job-runner",
        choices=[str(runner) for runner in JobRunner],
        default=str(JobRunner.SCRIPT),
        help="process really runs the jobs' commands on this machine",
    )
    parser.add_argument(
        "--user-data",
        choices=[str(mode) for mode in UserDataMode],
        default=str(UserDataMode.AUTO),
        help="execute really runs instances' user data on this machine, in namespaces",
    )
    parser.add_argument("--seed", type=int, help="of ids; credentials are random all the same")
    parser.add_argument("--account", default=assembly.ACCOUNT, help="twelve digits")
    parser.add_argument("--region", default=assembly.REGION)
    parser.add_argument("--no-limits", action="store_true", help="switch AWS's request limits off")
    _add_reach(parser)
    return parser


def _add_reach(parser: argparse.ArgumentParser) -> None:
    """What it takes to be reached from elsewhere: by others in a cluster, for example."""
    parser.add_argument(
        "--listen",
        default=HOST,
        help="address to listen on, :: for all; beyond the loopback nothing is run",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name under which it may be asked, such as a Service's; repeatable",
    )
    parser.add_argument(
        "--secrets",
        type=Path,
        metavar="DIRECTORY",
        help="files access-key-id, secret-access-key and admin-token, in place of random ones",
    )
    parser.add_argument(
        "--settings", type=Path, help="JSON merge patch to the settings, as for PUT settings"
    )


def _built(options: argparse.Namespace) -> Simulator:
    """The simulator that was asked for. Raises RefusedStartError."""
    settings = Settings(
        speed=options.speed,
        limits=RequestLimits(enabled=not options.no_limits),
        job_runner=JobRunner(options.job_runner),
        hosts=Hosts(user_data=UserDataMode(options.user_data)),
    )
    settings = with_file(settings, options.settings)
    given = GivenSecrets.read(options.secrets) if options.secrets else None
    check_reach(options.listen, settings, given)
    return assembly.build(
        clock=SimulatedClock(speed=settings.speed, stepped=options.stepped),
        settings=settings,
        ids=random.Random(options.seed),  # noqa: S311 - ids are no secrets
        secrets=random.SystemRandom(),
        place=Place(options.account, options.region),
        given=given,
    )


async def _serve(simulator: Simulator, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host, names = options.listen, options.allowed_host
    async with serving(simulator, options.port, host=host, names=names) as url:
        if options.ready_file is not None:
            write_privately(options.ready_file, _ready(simulator, url))
        logging.getLogger(__name__).info("The simulator listens on %s", url)
        await stop.wait()


def _ready(simulator: Simulator, url: str) -> dict[str, Any]:
    return {
        "url": url,
        "accessKeyId": simulator.key.access_key_id,
        "secretAccessKey": simulator.key.secret_access_key,
        "adminToken": simulator.admin_token,
        "accountId": simulator.place.account,
        "region": simulator.place.region,
        "pid": os.getpid(),
        **seeds.summary(simulator.place),
    }


def write_privately(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that only its owner can read; whoever sees the file sees all of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    Path(temporary).replace(path)


if __name__ == "__main__":
    main()
