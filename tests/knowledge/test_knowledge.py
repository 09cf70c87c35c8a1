"""The tables: known codes have the names that the RFCs and IANA gave them, unknown ones stay numbers."""

import csv
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import analyzer
from analyzer import knowledge

FOLDER = Path(knowledge.__file__).parent
TABLES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".csv", ".toml"})


@pytest.mark.parametrize(
    ("look_up", "code", "name"),
    [
        pytest.param(knowledge.cipher_suite, 0x1301, "TLS_AES_128_GCM_SHA256", id="TLS 1.3 suite"),
        pytest.param(knowledge.cipher_suite, 0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", id="TLS 1.2 suite"),
        pytest.param(knowledge.cipher_suite, 0x0018, "TLS_DH_anon_WITH_RC4_128_MD5", id="anon is lower case at IANA"),
        pytest.param(knowledge.cipher_suite, 0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", id="signalling value"),
        pytest.param(knowledge.cipher_suite, 0x010080, "SSL_CK_RC4_128_WITH_MD5", id="SSLv2 kind"),
        pytest.param(knowledge.cipher_suite, 0x1A1A, "GREASE_0x1A1A", id="GREASE suite"),
        pytest.param(knowledge.cipher_suite, 0x7F1C, "0x7f1c", id="unknown suite"),
        pytest.param(knowledge.extension, 0, "server_name", id="first extension"),
        pytest.param(knowledge.extension, 35, "session_ticket", id="IANA's new name of the ticket"),
        pytest.param(knowledge.extension, 0xFE0D, "encrypted_client_hello", id="ECH"),
        pytest.param(knowledge.extension, 0xFFF0, "0xfff0", id="unknown extension"),
        pytest.param(knowledge.group, 29, "x25519", id="curve"),
        pytest.param(knowledge.group, 0x11EC, "X25519MLKEM768", id="post-quantum hybrid"),
        pytest.param(knowledge.group, 0x11ED, "SecP384r1MLKEM1024", id="the other hybrid"),
        pytest.param(knowledge.group, 0xABCD, "0xabcd", id="unknown group"),
        pytest.param(knowledge.signature_scheme, 0x0804, "rsa_pss_rsae_sha256", id="RSA-PSS"),
        pytest.param(knowledge.signature_scheme, 0x0403, "ecdsa_secp256r1_sha256", id="ECDSA"),
        pytest.param(knowledge.signature_scheme, 0x0807, "ed25519", id="Ed25519"),
        pytest.param(knowledge.signature_scheme, 0x0905, "mldsa65", id="ML-DSA"),
        pytest.param(knowledge.signature_scheme, 0x0202, "dsa_sha1", id="pair that only TLS 1.2 knows"),
        pytest.param(knowledge.signature_scheme, 0x0101, "rsa_pkcs1_md5", id="MD5 pair"),
        pytest.param(knowledge.signature_scheme, 0xFD00, "0xfd00", id="unknown scheme"),
        pytest.param(knowledge.alert, 48, "unknown_ca", id="alert"),
        pytest.param(knowledge.alert, 116, "certificate_required", id="TLS 1.3 alert"),
        pytest.param(knowledge.alert, 200, "0xc8", id="unknown alert"),
        pytest.param(knowledge.handshake_type, 13, "certificate_request", id="message"),
        pytest.param(knowledge.handshake_type, 99, "0x63", id="unknown message"),
        pytest.param(knowledge.certificate_type, 64, "ecdsa_sign", id="certificate type"),
        pytest.param(knowledge.certificate_type, 250, "0xfa", id="unknown certificate type"),
        pytest.param(knowledge.version_name, 0x0303, "TLSv1.2", id="version"),
        pytest.param(knowledge.version_name, 0x0002, "SSLv2", id="oldest version"),
        pytest.param(knowledge.version_name, 0x7F1C, "0x7f1c", id="draft version"),
    ],
)
def test_code_has_its_name(look_up: Callable[[int], str], code: int, name: str) -> None:
    assert look_up(code) == name


@pytest.mark.parametrize(
    ("dotted", "name", "keyword"),
    [
        pytest.param("2.5.29.37", "extKeyUsage", None, id="extension"),
        pytest.param("1.3.6.1.5.5.7.3.2", "clientAuth", None, id="key purpose"),
        pytest.param("2.5.4.3", "commonName", "CN", id="name attribute"),
        pytest.param("1.2.840.113549.1.9.1", "emailAddress", "emailAddress", id="attribute without a short keyword"),
        pytest.param("1.2.3.4.5", "1.2.3.4.5", None, id="unknown"),
    ],
)
def test_oid_has_its_name(dotted: str, name: str, keyword: str | None) -> None:
    assert (knowledge.oid(dotted), knowledge.attribute_keyword(dotted)) == (name, keyword)


def test_alert_tells_what_schannel_says() -> None:
    info = knowledge.alert_info(48)
    assert (info.schannel_error, info.schannel_code) == ("SEC_E_UNTRUSTED_ROOT", 0x80090325)
    assert "36882" in info.schannel_event
    assert info.meaning


def test_unknown_alert_has_only_its_number() -> None:
    assert knowledge.alert_info(201) == knowledge.AlertInfo(201, "0xc9")
    assert not knowledge.known_alert(201)
    assert knowledge.known_alert(0)


@pytest.mark.parametrize(
    ("port", "tls", "mtls", "sip"),
    [
        pytest.param(5061, True, True, True, id="SIP between servers"),
        pytest.param(443, True, False, False, id="clients and pseudo-TLS"),
        pytest.param(444, True, True, False, id="focus and conferencing: HTTPS with client certificates"),
        pytest.param(4443, True, False, False, id="web services behind the reverse proxy"),
        pytest.param(5060, False, False, True, id="SIP in clear"),
        pytest.param(5087, True, True, True, id="the last port of a range"),
    ],
)
def test_port_has_its_role(port: int, tls: bool, mtls: bool, sip: bool) -> None:
    role = knowledge.role(port)
    assert role is not None
    assert (role.port, role.tls, role.mtls, role.sip) == (port, tls, mtls, sip)
    assert (
        port in knowledge.default_tls_ports(),
        port in knowledge.mtls_ports(),
        port in knowledge.sip_ports(),
    ) == (tls, mtls, sip)


def test_other_ports_have_no_role() -> None:
    assert knowledge.role(22) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schannel_ca_list_2003", 12_288),
        ("schannel_ca_list", 16_384),
        ("ca_list_band", 320),
        ("ca_names_many", 100),
        ("message_limit_client", 32_768),
        ("at_once_s", 2),
        ("long_after_s", 30),
        ("never_answers_s", 3),
        ("expiring_days", 30),
    ],
)
def test_limit_has_value_reason_and_source(name: str, value: int) -> None:
    info = knowledge.limit_info(name)
    assert knowledge.limit(name) == info.value == value
    assert info.reason
    assert info.source
    assert info.unit


def test_a_limit_that_does_not_exist_is_our_bug() -> None:
    with pytest.raises(KeyError):
        knowledge.limit("no_such_limit")


def test_a_remedy_tells_both_worlds() -> None:
    remedy = knowledge.remedy("renew")
    assert "certlm.msc" in remedy.windows
    assert "openssl" in remedy.others
    with pytest.raises(KeyError):
        knowledge.remedy("no_such_remedy")


def test_remedies_are_clauses() -> None:
    """They stand inside a sentence that brings the full stop."""
    rows = tomllib.loads((FOLDER / "remedies.toml").read_text(encoding="ascii"))["remedy"]
    for row in rows:
        assert not row["windows"].endswith(".")
        assert not row["others"].endswith(".")
        assert len(row["windows"]) + len(row["others"]) < 420, row["name"]


def test_a_use_is_satisfied_by_itself_and_by_any() -> None:
    assert {"serverAuth", "anyExtendedKeyUsage"} <= knowledge.satisfying("serverAuth")
    assert knowledge.satisfying("clientAuth") == {"clientAuth", "anyExtendedKeyUsage"}


def test_the_end_of_client_auth_is_told() -> None:
    assert "DigiCert since October 2025" in knowledge.client_auth_end()


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_first_line_says_source_date_and_refresh(path: Path) -> None:
    first = path.read_text(encoding="ascii").splitlines()[0]
    assert first.startswith("# source: ")
    assert "read 20" in first
    assert "refresh: " in first


@pytest.mark.parametrize("path", [p for p in TABLES if p.suffix == ".csv"], ids=lambda path: path.name)
def test_csv_codes_are_unique_and_named(path: Path) -> None:
    with path.open(encoding="ascii", newline="") as lines:
        _source, header, *rows = list(csv.reader(lines))
    assert len({row[0] for row in rows}) == len(rows)
    assert all(len(row) == len(header) and row[0] and row[1] for row in rows)


@pytest.mark.parametrize("path", [p for p in TABLES if p.suffix == ".toml"], ids=lambda path: path.name)
def test_every_toml_row_has_a_source(path: Path) -> None:
    (rows,) = tomllib.loads(path.read_text(encoding="ascii")).values()
    assert all(row["source"] for row in rows)
    keys = [row.get("code", row.get("name")) if "ports" not in row else row["ports"][0] for row in rows]
    assert len(set(keys)) == len(keys)


def test_importing_reads_no_table() -> None:
    script = "import analyzer.knowledge as k; print(k._names.cache_info().currsize + k._alerts.cache_info().currsize)"
    root = Path(analyzer.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_an_event_of_the_windows_log_is_found_by_what_it_tells() -> None:
    assert knowledge.schannel_event("client certificate") == 36877
    with pytest.raises(KeyError):
        knowledge.schannel_event("no such event")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        pytest.param("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", id="suite"),
        pytest.param("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", id="suite of TLS 1.3"),
        pytest.param("secp256r1", "P-256", id="group"),
        pytest.param("ecdsa_sha1", "ECDSA+SHA1", id="pair"),
        pytest.param("X25519MLKEM768", None, id="not in OpenSSL 3.0"),
    ],
)
def test_words_of_openssl(name: str, word: str | None) -> None:
    assert knowledge.openssl_name(name) == word


def test_openssl_has_words_only_for_names_of_ours() -> None:
    def rows(table: str) -> list[list[str]]:
        return list(csv.reader((FOLDER / f"{table}.csv").read_text(encoding="ascii").splitlines()))[2:]

    ours = {row[1] for table in ("cipher_suites", "groups", "signature_schemes") for row in rows(table)}
    theirs = {row[0] for row in rows("openssl_names")}
    assert theirs
    assert theirs <= ours


def test_labels_of_skype() -> None:
    assert "lyncdiscover" in knowledge.skype_labels()
    assert "www" not in knowledge.skype_labels()
