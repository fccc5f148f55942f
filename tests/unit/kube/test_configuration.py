"""TLS to a server that has a certificate of its own authority and asks us for one."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from awsbatch_operator.kube.configuration import Configuration, ConfigurationError, tls
from awsbatch_sandbox.certificates import Authority, KeyPair


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    authority = Authority(name="ours", now=datetime.now(UTC))
    authority.write(directory / "ca.crt")
    authority.server(directory, "server", hosts=["127.0.0.1"])
    authority.client(directory, "client", user="me")
    Authority(name="another", now=datetime.now(UTC)).write(directory / "another.crt")
    return directory


def pair(place: Path, name: str) -> KeyPair:
    return KeyPair(place / f"{name}.crt", place / f"{name}.key")


@asynccontextmanager
async def server(place: Path) -> AsyncIterator[int]:
    """It lets in whom our authority has signed, and says hello."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=place / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in which a refusal ends the handshake
    own = pair(place, "server")
    context.load_cert_chain(own.certificate, own.key)

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0, ssl=context) as listening:
        yield listening.sockets[0].getsockname()[1]


async def heard(port: int, configuration: Configuration) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls(configuration))
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.fixture
def known(place: Path) -> Configuration:
    own = pair(place, "client")
    return Configuration(authority=place / "ca.crt", certificate=own.certificate, key=own.key)


async def test_both_sides_know_each_other_by_files(place: Path, known: Configuration):
    async with server(place) as port:
        assert await heard(port, known) == b"hello"


async def test_both_sides_know_each_other_by_texts(place: Path, known: Configuration):
    texts = Configuration(
        authority=(place / "ca.crt").read_bytes(),
        certificate=pair(place, "client").certificate.read_bytes(),
        key=pair(place, "client").key.read_bytes(),
    )
    async with server(place) as port:
        assert await heard(port, texts) == b"hello"


async def test_without_our_certificate_we_are_not_let_in(place: Path, known: Configuration):
    async with server(place) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await heard(port, replace(known, certificate=None, key=None))


async def test_a_server_of_another_authority_is_not_trusted(place: Path, known: Configuration):
    async with server(place) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await heard(port, replace(known, authority=place / "another.crt"))


async def test_unless_we_are_told_not_to_look(place: Path, known: Configuration):
    stranger = replace(known, authority=place / "another.crt", verified=False)
    async with server(place) as port:
        assert await heard(port, stranger) == b"hello"


@pytest.mark.parametrize("name", ["authority", "certificate"])
def test_what_is_no_certificate_is_said_to_be_none(known: Configuration, name: str):
    wrong: dict[str, Any] = {name: b"no certificate"}
    with pytest.raises(ConfigurationError, match="certificate-authority"):
        tls(replace(known, **wrong))
