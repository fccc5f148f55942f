"""Reading the consoles of instances that never joined."""

from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.capacity_ports import Ec2Port
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity import diagnosis
from awsbatch_operator.capacity.memory import Remembered
from awsbatch_operator.capacity.resolved import Resolved
from awsbatch_operator.capacity.subject import Subject

_SILENT_SECONDS = 120.0  # after which a console that said nothing is read once more


@dataclass(frozen=True, slots=True)
class Consoles:
    """Reads. Raises LeaseLostError; a console that cannot be read now is left for later."""

    ec2: Ec2Port
    clock: Clock

    async def diagnoses(
        self, subject: Subject, kept: Remembered, resolved: Mapping[str, Resolved]
    ) -> Mapping[str, str]:
        """Of each pool: what the console says of the newest instance that never joined.

        It is read once. EC2 shows consoles late, so one that says nothing is read once more.
        """
        found: dict[str, str] = {}
        for name in (pool.name for pool in subject.wish.pools):
            unjoined = subject.record.of(name).unjoined
            if not unjoined:
                continue
            machine = resolved[name].machine if name in resolved else None
            about = diagnosis.Subject(
                instance=unjoined[-1][0],
                cluster=subject.cluster_name,
                profile=machine.instance_profile if machine is not None else "",
            )
            if about.instance not in kept.consoles:
                await self._read_console(subject, kept, about)
            if about.instance in kept.consoles:
                found[name] = kept.consoles[about.instance]
        mine = {each for one in subject.record.pools.values() for each, _ in one.unjoined}
        for read in (kept.consoles, kept.silent):
            for each in read.keys() - mine:
                del read[each]
        return found

    async def _read_console(
        self, subject: Subject, kept: Remembered, about: diagnosis.Subject
    ) -> None:
        now = self.clock.now()
        first = kept.silent.setdefault(about.instance, now)
        if first != now and now.since(first) < _SILENT_SECONDS:
            return  # it said nothing a moment ago
        try:
            console = await self.ec2.console_output(subject.scope, about.instance)
        except NoTokenError:
            del kept.silent[about.instance]
            return
        except AwsError as error:
            if error.kind not in {ErrorKind.NOT_FOUND, ErrorKind.DENIED}:
                return
            console = ""
            if error.kind is ErrorKind.DENIED:
                kept.consoles[about.instance] = diagnosis.unreadable(about, error.message)
                return
        if diagnosis.has_sign(console) or first != now:
            kept.consoles[about.instance] = diagnosis.diagnosis(console, about)
