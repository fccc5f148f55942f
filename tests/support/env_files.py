"""The two readers of /etc/ecs/ecs.config, which must understand the same by every line."""

import re


def as_the_agent(text: str) -> dict[str, str]:
    """As ecs-init reads it: all behind the first `=`, the line stripped; the last line wins.

    Its source: ecs-init/docker/docker.go of aws/amazon-ecs-agent, getEnvVars.
    """
    found = {}
    for line in text.strip().split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals:
            found[name] = value
    return found


def as_systemd(text: str) -> dict[str, str]:
    """As systemd reads an EnvironmentFile (systemd.exec(5)): quotes, backslashes, comments."""
    found = {}
    text = re.sub(r"\\\n", "", text)
    for line in text.split("\n"):
        stripped = line.strip(" \t\r")
        if not stripped or stripped[0] in "#;" or "=" not in stripped:
            continue
        name, _, value = stripped.partition("=")
        found[name.strip()] = _unquoted(value.strip(" \t"))
    return found


def _unquoted(value: str) -> str:
    if value[:1] == "'":
        return value[1:].partition("'")[0]
    if value[:1] == '"':
        inner = re.match(r'"((?:[^"\\]|\\.)*)', value)
        return re.sub(r'\\(["\\`$])', r"\1", inner[1]) if inner else ""
    return re.sub(r"\\(.)", r"\1", value)
