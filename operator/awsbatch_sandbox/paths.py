"""Where things are: the repository, the cache of built tools, and one sandbox's directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS_MODULE = REPOSITORY / "tools"
GO_REQUIREMENTS = REPOSITORY / "requirements" / "go.txt"
EXAMPLES = REPOSITORY / "examples"
DEFAULT_SANDBOX = REPOSITORY / ".sandbox"


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Where built tools are kept between runs: XDG's cache directory of this user."""
    base = environ.get("XDG_CACHE_HOME", "")
    # XDG: a relative path is invalid and must be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "aws-batch-operator"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one sandbox below its own directory."""

    root: Path

    def create(self) -> None:
        """Make the directories, readable by this user only: they hold private keys."""
        places = (self.root, self.logs, self.pki, self.etcd, self.accounts, self.temporary)
        for directory in places:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)

    @property
    def temporary(self) -> Path:
        """The operator's temporary files, which go with the sandbox."""
        return self.root / "tmp"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def aws_env(self) -> Path:
        """Shell lines that point AWS clients at the simulator."""
        return self.root / "aws.env"

    @property
    def commands(self) -> Path:
        """Links to kubectl and aws, for the PATH of a person's shell."""
        return self.root / "bin"

    @property
    def state(self) -> Path:
        """What was started; `down` reads it."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held while the sandbox is being started or stopped."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self.root / "logs"

    @property
    def audit_log(self) -> Path:
        """Who asked the API server for what, if that is recorded."""
        return self.logs / "audit.log"

    @property
    def pki(self) -> Path:
        """Keys and certificates of this sandbox only."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The data of etcd and its socket."""
        return self.root / "etcd"

    @property
    def accounts(self) -> Path:
        """Kubeconfigs of ServiceAccounts."""
        return self.root / "accounts"

    @property
    def simulator_ready(self) -> Path:
        """What the simulator writes when it listens: its address and credentials."""
        return self.root / "simulator.json"

    @property
    def kubectl_cache(self) -> Path:
        """The discovery cache of kubectl: never the user's own in ~/.kube."""
        return self.root / "kubectl-cache"
