"""The lines that try a trouble again: what is in them, that a shell cannot be fooled, and that openssl takes them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.chain import assess
from analyzer.connection import CertificateState, Connection
from analyzer.errors import UsageError
from analyzer.report import repro as module
from analyzer.report.output import Item
from analyzer.report.repro import Repro
from tests.build.connections import CLIENT_FLIGHT, HANDSHAKE_13, HELLOS, TCP, ca_list, client_hello, connection
from tests.report.records import CLIENT, ROOT, SERVER, SUB, failed, healthy, summary

OPENSSL = shutil.which("openssl")
HELLO = client_hello(
    cipher_suites=(0x0A0A, 0x1301, 0xC02B, 0xC030, 0x00FF),
    signature_schemes=(0x0403, 0x0804, 0x0804, 0x0401),
    supported_groups=(0x1A1A, 0x11EC, 0x001D, 0x0017),
    alpn=("sip", "a,b"),
    extensions=(0, 5, 10, 13, 16, 35),
)


def refused(**facts: Any) -> Connection:
    """The server resets after the client's certificate; both sent a leaf and an intermediate."""
    usual: dict[str, Any] = {
        "server_chain": assess((SERVER.der, SUB.der)),
        "client_chain": assess((CLIENT.der, SUB.der)),
        "request": ca_list(),
        "client_hello": HELLO,
        "cipher": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "diagnosis": "the server reset the connection",
    }
    return connection(*CLIENT_FLIGHT, "< RST", **(usual | facts))


def lines(conn: Connection, tmp_path: Path) -> list[str]:
    """The commands for one connection."""
    repro = Repro(tmp_path / "out")
    repro.add(conn)
    repro.finish()
    text = (tmp_path / "out" / "repro.txt").read_text(encoding="ascii")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def words(conn: Connection, tmp_path: Path, at: int = 0) -> list[str]:
    """One of them as the shell takes it apart."""
    return shlex.split(lines(conn, tmp_path)[at].removesuffix(" </dev/null"))


def value(found: list[str], option: str) -> str:
    return found[found.index(option) + 1]


def test_the_first_line_has_what_matters(tmp_path: Path) -> None:
    found = words(refused(), tmp_path)
    assert found[:4] == ["openssl", "s_client", "-connect", "198.51.100.5:5061"]
    assert value(found, "-servername") == "sip.example.com"
    assert "-tls1_2" in found
    assert value(found, "-cert") == f"{assess((CLIENT.der,)).leaf.sha256}.pem"
    assert value(found, "-cert_chain").endswith("-above.pem")
    assert (value(found, "-key"), value(found, "-CAfile")) == ("CLIENT-KEY.pem", "ROOTS-OF-CLIENT.pem")


def test_the_second_line_has_the_offers_in_the_clients_order(tmp_path: Path) -> None:
    found = words(refused(), tmp_path, 1)
    assert value(found, "-cipher") == "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0"
    assert value(found, "-sigalgs") == "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256"
    assert value(found, "-groups") == "X25519:P-256"
    assert value(found, "-alpn") == "sip"
    assert "-status" in found
    assert not {"-no_ticket", "-ciphersuites", "-enable_pha"} & set(found)


def test_the_other_side_and_the_chains(tmp_path: Path) -> None:
    server, offline, client = (words(refused(), tmp_path, at) for at in (2, 3, 4))
    assert server[:4] == ["openssl", "s_server", "-accept", "5061"]
    assert (value(server, "-key"), value(server, "-Verify")) == ("SERVER-KEY.pem", "10")
    assert value(server, "-cipher") == "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
    assert (value(offline, "-purpose"), value(offline, "-CAfile")) == ("sslserver", "ROOTS-OF-CLIENT.pem")
    assert (value(client, "-purpose"), value(client, "-CAfile")) == ("sslclient", "ROOTS-OF-SERVER.pem")
    assert value(offline, "-attime") == str(refused().end_ns // 10**9)


@pytest.mark.parametrize(
    ("conn", "there", "absent"),
    [
        pytest.param(
            connection(*TCP, "> ClientHello", "< RST", client_hello=HELLO),
            ["-min_protocol TLSv1", "-max_protocol TLSv1.2", "-ciphersuites TLS_AES_128_GCM_SHA256"],
            ["-cert", "-tls1_2", "s_server"],
            id="no answer: the client's whole range",
        ),
        pytest.param(
            connection(*TCP, "> ClientHello", "< RST", client_hello=replace(HELLO, supported_versions=(0x0304,))),
            ["-tls1_3"],
            ["-min_protocol"],
            id="only one version is offered",
        ),
        pytest.param(
            connection(*HELLOS, "> Alert 70", client_hello=HELLO),
            ["-max_protocol TLSv1.2"],
            ["-tls1_2"],
            id="the version was not agreed on",
        ),
        pytest.param(
            connection(
                *HANDSHAKE_13,
                "< RST",
                version="TLSv1.3",
                client_certificate_state=CertificateState.INFERRED_SENT,
                client_hello=HELLO,
            ),
            ["-tls1_3", "-cert CLIENT-CERT.pem", "-key CLIENT-KEY.pem", "-ciphersuites TLS_AES_128_GCM_SHA256"],
            ["-cipher "],
            id="TLS 1.3 hides the client's certificate",
        ),
        pytest.param(
            connection(*TCP, "> ClientHello", "< RST", client_hello=replace(HELLO, cipher_suites=(0x1301, 0x1302))),
            ["-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"],
            ["-cipher "],
            id="nothing but suites of TLS 1.3",
        ),
        pytest.param(
            connection(*TCP, "> ClientHello", "< RST", client_hello=replace(HELLO, cipher_suites=(0x0004,))),
            ["-cipher ALL:@SECLEVEL=0"],
            ["-ciphersuites"],
            id="nothing that OpenSSL still has",
        ),
        pytest.param(connection("> SYN", "< RST"), ["-connect 198.51.100.5:5061"], ["-servername"], id="no hello"),
        pytest.param(
            connection(*HELLOS, "> RST", client_hello=client_hello(server_name=None)),
            ["-noservername", "-no_ticket"],
            [" -servername"],
            id="no name and no ticket",
        ),
        pytest.param(
            connection(*HELLOS, "> RST", server_ip="2001:db8::1"), ["-connect '[2001:db8::1]:5061'"], [], id="IPv6"
        ),
        pytest.param(connection(*HELLOS, "> RST", preamble="SMTP"), ["-starttls smtp"], [], id="STARTTLS"),
        pytest.param(
            connection(*HELLOS, "> RST", version="SSLv3", client_hello=client_hello(legacy_version=0x0300)),
            ["-connect"],
            ["-tls1"],
            id="a version that OpenSSL dropped",
        ),
        pytest.param(
            connection(*HELLOS, "> RST", client_hello=replace(HELLO, extensions=(49,))), ["-enable_pha"], [], id="PHA"
        ),
    ],
)
def test_what_else_there_is(conn: Connection, there: list[str], absent: list[str], tmp_path: Path) -> None:
    text = "\n".join(lines(conn, tmp_path))
    assert all(part in text for part in there), text
    assert not any(part in text for part in absent), text


def test_what_cannot_be_said_is_told(tmp_path: Path) -> None:
    lines(refused(preamble="RDP", server_name="a\\x00b", client_hello=replace(HELLO, server_name="a\\x00b")), tmp_path)
    text = (tmp_path / "out" / "repro.txt").read_text(encoding="ascii")
    assert "OpenSSL 3.0 has no name for it: X25519MLKEM768." in text
    assert "plain text (RDP)" in text
    assert "bytes that cannot be typed" in text
    assert "SCSV" not in text


def test_files_are_the_certificates_of_the_capture(tmp_path: Path) -> None:
    lines(refused(), tmp_path)
    files = {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "out").glob("*.pem")}
    assert len(files) == 3 + 2 * 2
    for name, text in files.items():
        ders = re.findall(r"-----BEGIN CERTIFICATE-----\n([^-]+)-----END CERTIFICATE-----\n", text)
        assert len(ders) == (2 if name.endswith("-chain.pem") else 1)
        assert all(len(line) <= 64 for line in text.splitlines())
    assert f"{assess((SUB.der,)).leaf.sha256}.pem" in files


def test_equal_troubles_are_one_block(tmp_path: Path) -> None:
    repro = Repro(tmp_path)
    items: list[Item] = [healthy(), refused(), refused(stream=4), failed(), summary()]
    assert list(repro.watch(items)) == items, "the report gets all of them"
    repro.finish()
    text = (tmp_path / "repro.txt").read_text(encoding="ascii")
    assert text.count("test.pcap, connection") == len(repro.commands()) == 2
    assert "(and 1 more like it)" in text


def test_there_is_an_end_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BLOCKS", 2)
    monkeypatch.setattr(module, "MAX_CERTIFICATES", 3)
    repro = Repro(tmp_path)
    for port in range(1, 6):
        repro.add(refused(server_port=port))
    repro.finish()
    assert "3 more troubled connections are left out" in (tmp_path / "repro.txt").read_text(encoding="ascii")
    assert len(list(tmp_path.glob("*.pem"))) == 3


def test_a_second_run_writes_the_text_anew_and_leaves_certificates(tmp_path: Path) -> None:
    lines(refused(), tmp_path)
    kept = next((tmp_path / "out").glob("*-chain.pem"))
    kept.write_text("mine", encoding="ascii")
    assert lines(connection("> SYN", "< RST"), tmp_path)[0].startswith("openssl s_client")
    assert lines(refused(), tmp_path)
    assert kept.read_text(encoding="ascii") == "mine"


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(UsageError, match="is no folder"):
        Repro(tmp_path / "file").add(refused())


NASTY = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40) | st.sampled_from(
    [
        "$(touch pwned)",
        "`id`",
        "a;b",
        "' || true #",
        '"; rm x; "',
        "-cert",
        "--",
        "a b",
        "*",
        "~",
        "!!",
        "a\\x00b",
        "&",
        "|x",
    ]
)


@settings(max_examples=60, deadline=None)
@given(name=NASTY, protocol=NASTY)
def test_a_shell_sees_one_word(name: str, protocol: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    hello = replace(HELLO, server_name=name, alpn=(protocol,))
    found = words(refused(server_name=name, client_hello=hello), tmp_path_factory.mktemp("nasty"), 1)
    assert value(found, "-servername") == name
    assert "," in protocol or "\\" in protocol or value(found, "-alpn") == protocol


def test_a_comment_stays_a_comment(tmp_path: Path) -> None:
    found = lines(refused(capture="x\nrm -rf y\r\u2028z", diagnosis="a\nb\x1b[2J" + "c" * 9000), tmp_path)
    assert all(line.startswith("openssl ") for line in found)
    text = (tmp_path / "out" / "repro.txt").read_bytes()
    assert b"\x1b" not in text
    assert b"\r" not in text


# ---- with a real openssl ---------------------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="no openssl on this machine")


def private(identity: Any) -> bytes:
    """The key as PEM."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem: bytes = identity.key.private_bytes(encoding, form, serialization.NoEncryption())
    return pem


def put_in(folder: Path) -> None:
    """What a capture does not have."""
    (folder / "CLIENT-KEY.pem").write_bytes(private(CLIENT))
    (folder / "SERVER-KEY.pem").write_bytes(private(SERVER))
    root = module._pem(ROOT.der)
    (folder / "ROOTS-OF-CLIENT.pem").write_bytes(root)
    (folder / "ROOTS-OF-SERVER.pem").write_bytes(root)


@contextmanager
def serving(command: str, folder: Path) -> Iterator[int]:
    """Run the s_server line on a port of its own on loopback; the port."""
    words = shlex.split(command.replace("-accept 5061", "-accept 127.0.0.1:0"))
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if line.startswith("ACCEPT"):
                    yield int(line.rpartition(":")[2])
                    return
            raise AssertionError(f"openssl does not take: {command}")
        finally:
            server.terminate()


@needs_openssl
def test_openssl_takes_every_line_and_the_two_sides_meet(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    lines(refused(), tmp_path)
    put_in(folder)
    name = "x'; touch pwned; '$(touch pwned)"
    with serving(lines(refused(), tmp_path)[2], folder) as port:
        hello = replace(HELLO, server_name=name)
        conn = refused(server_ip="127.0.0.1", server_port=port, server_name=name, client_hello=hello)
        offline = lines(conn, tmp_path)
        for line in offline[:2]:
            done = subprocess.run(
                ["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=30, check=False
            )
            assert "Verify return code: 0 (ok)" in done.stdout, done.stderr
            assert "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256" in done.stdout
            assert "write client certificate" in done.stderr, "the client's certificate was sent"
    for line in offline[3:]:
        done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0].endswith(".pem: OK")
    assert not (folder / "pwned").exists()
