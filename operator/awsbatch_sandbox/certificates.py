"""A certificate authority for one sandbox, what it signs, and keys for ServiceAccount tokens.

The authority carries keyUsage keyCertSign and cRLSign and the key identifiers of RFC 5280: from
Python 3.13 on, ssl verifies strictly and refuses an authority without them.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=365)
SKEW = timedelta(minutes=5)  # clocks of containers and hosts differ a little


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Files of a certificate and of its private key, in PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives in memory; only its certificate is written down."""

    def __init__(self, *, name: str, now: datetime) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            _builder(self._name, self._name, self._key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(_authority_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def write(self, path: Path) -> Path:
        """Write the authority's certificate."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def server(self, directory: Path, name: str, *, hosts: Sequence[str]) -> KeyPair:
        """A certificate for a server that is reached under these names and addresses."""
        alternatives = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(directory, name, [], ExtendedKeyUsageOID.SERVER_AUTH, [alternatives])

    def client(
        self, directory: Path, name: str, *, user: str, groups: Sequence[str] = ()
    ) -> KeyPair:
        """A certificate for a Kubernetes user: the common name, and its groups as organizations."""
        subject = [
            x509.NameAttribute(NameOID.COMMON_NAME, user),
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
        ]
        return self._issue(directory, name, subject, ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def _issue(
        self,
        directory: Path,
        name: str,
        subject: list[x509.NameAttribute[str]],
        usage: x509.ObjectIdentifier,
        extensions: Iterable[x509.SubjectAlternativeName],
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        named = subject or [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        builder = (
            _builder(x509.Name(named), self._name, key.public_key(), self._now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_authority_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_private(pair.key, _private_pem(key))
        return pair


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs ServiceAccount tokens and the one that verifies them."""

    private: Path
    public: Path


def service_account_keys(directory: Path) -> SigningKeys:
    """Make and write the keys for ServiceAccount tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    keys = SigningKeys(directory / "service-accounts.key", directory / "service-accounts.pub")
    write_private(keys.private, _private_pem(key))
    keys.public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return keys


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, from its first byte on."""
    path.unlink(missing_ok=True)  # an old file would keep its old mode
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority_key(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
