import os
import socket

import pytest

from awsbatch_sandbox.ports import LOOPBACK, ReservedPort, listening_port


def test_a_reserved_port_is_refused_to_everyone_who_does_not_share():
    with (
        ReservedPort() as port,
        socket.socket() as other,
        pytest.raises(OSError, match="in use"),
    ):
        other.bind((LOOPBACK, port.number))


def test_a_server_that_shares_can_listen_on_a_reserved_port_and_gets_the_connections():
    with ReservedPort() as port, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((LOOPBACK, port.number))
        server.listen()
        with socket.create_connection((LOOPBACK, port.number), timeout=5) as client:
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"x")
                assert accepted.recv(1) == b"x"


def test_many_reservations_at_once_are_all_different():
    ports = [ReservedPort() for _ in range(500)]
    numbers = {port.number for port in ports}
    for port in ports:
        port.release()
    assert len(numbers) == 500


def test_the_port_on_which_a_process_listens_is_found():
    before = listening_port(os.getpid())
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        assert listening_port(os.getpid()) == (before or server.getsockname()[1])


def test_a_process_that_is_gone_listens_nowhere():
    assert listening_port(2**22 + 1) is None
