"""Where the API server is and who we are there, as a value; and the TLS that follows from it."""

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from awsbatch_operator.kube.port import UnavailableError

Pem = Path | bytes | None
"""A certificate or a key: in a file, or itself as text."""


class ConfigurationError(UnavailableError):
    """It cannot be known where the API server is or who we are; the message says how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is needed to send a request.

    `authorization` is the whole header; None where a client certificate identifies us. `verified`:
    whether the server's certificate is looked at.
    """

    host: str = ""
    authorization: str | None = None
    authority: Pem = None
    certificate: Pem = None
    key: Pem = None
    verified: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None


def tls(configuration: Configuration) -> ssl.SSLContext:
    """Whom we trust and how we identify ourselves. ConfigurationError if a certificate is none."""
    try:
        with tempfile.TemporaryDirectory() as directory:  # OpenSSL reads keys from files only
            place = Path(directory)
            authority = _file(configuration.authority, place / "authority")
            context = ssl.create_default_context(cafile=authority)
            certificate = _file(configuration.certificate, place / "certificate")
            if certificate is not None:
                context.load_cert_chain(certificate, _file(configuration.key, place / "key"))
    except OSError as error:  # as which the errors of OpenSSL come
        raise ConfigurationError(
            f"The certificates for {configuration.host} cannot be used: {error}. "
            "Check certificate-authority, client-certificate and client-key of the kubeconfig, "
            "or ca.crt of the ServiceAccount."
        ) from error
    if not configuration.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _file(pem: Pem, path: Path) -> Path | None:
    if not isinstance(pem, bytes):
        return pem
    path.write_bytes(pem)  # in a directory that only we can enter
    return path
