import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from awsbatch_sandbox.certificates import Authority, service_account_keys, write_private

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def authority():
    return Authority(name="test", now=NOW)


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def verifier(authority, *, when=NOW):
    return PolicyBuilder().store(Store([authority.certificate])).time(when)


def test_a_server_certificate_holds_for_its_names_and_no_others(authority, tmp_path):
    pair = authority.server(tmp_path, "server", hosts=["127.0.0.1", "localhost"])
    policy = verifier(authority)
    policy.build_server_verifier(x509.DNSName("localhost")).verify(load(pair.certificate), [])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("example.com")).verify(load(pair.certificate), [])


def test_a_certificate_of_another_authority_is_refused(authority, tmp_path):
    pair = Authority(name="test", now=NOW).server(tmp_path, "server", hosts=["localhost"])
    with pytest.raises(VerificationError):
        verifier(authority).build_server_verifier(x509.DNSName("localhost")).verify(
            load(pair.certificate), []
        )


def test_a_certificate_ends_after_a_year(authority, tmp_path):
    pair = authority.server(tmp_path, "server", hosts=["localhost"])
    late = verifier(authority, when=NOW + timedelta(days=366))
    with pytest.raises(VerificationError):
        late.build_server_verifier(x509.DNSName("localhost")).verify(load(pair.certificate), [])


def test_the_authority_says_that_it_signs_certificates_and_nothing_else(authority):
    usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature


def test_a_client_certificate_names_its_user_and_groups(authority, tmp_path):
    pair = authority.client(tmp_path, "admin", user="admin", groups=["system:masters"])
    subject = load(pair.certificate).subject.rfc4514_string()
    assert subject == "O=system:masters,CN=admin"


def test_private_keys_are_for_this_user_only(authority, tmp_path):
    pair = authority.client(tmp_path, "admin", user="admin")
    keys = service_account_keys(tmp_path)
    for path in (pair.key, keys.private):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_old_readable_file_does_not_lend_its_mode_to_a_secret(tmp_path):
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_python_can_serve_with_a_pair(authority, tmp_path):
    pair = authority.server(tmp_path, "server", hosts=["localhost"])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)
