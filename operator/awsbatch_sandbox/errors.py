"""What goes wrong in the sandbox, told to a person at a terminal.

SandboxError
├── ToolsMissing      a binary can be neither found nor built
├── ProcessFailed     a part ended, or did not become ready in time
└── KubectlFailed     kubectl refused; carries its own words
"""


class SandboxError(Exception):
    """Something that the person at the terminal must know; the message says how to mend it."""


class ToolsMissing(SandboxError):  # noqa: N818 - says what is the case, as FileNotFoundError does
    """A pinned binary can be neither found nor built."""


class ProcessFailed(SandboxError):  # noqa: N818 - as ToolsMissing
    """A part of the sandbox ended, or did not become ready in time."""


class KubectlFailed(SandboxError):  # noqa: N818 - as ToolsMissing
    """kubectl ended with an error; the message carries what it printed."""
