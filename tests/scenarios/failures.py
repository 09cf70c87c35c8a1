"""Handshakes that fail, and connections that are no TLS."""

from __future__ import annotations

from tests.build import handshake as tls
from tests.build.records import record
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios.story import Story, scenario


@scenario
def client_ca_unknown(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate, ..., CertificateRequest, ServerHelloDone
      | Certificate [alice], ..., Finished ->
      |        <- Alert fatal unknown_ca    |
      |                               <- FIN|
    """
    story.open()
    story.hello().answer().certificate().alert(SERVER, 48).close(SERVER)


@scenario
def reset_after_certificate(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate, ..., CertificateRequest, ServerHelloDone
      | Certificate [alice], ..., Finished ->
      |                               <- RST|
    """
    story.open()
    story.hello().answer().certificate().rst(SERVER)


@scenario
def client_leaves(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate, ServerKeyExchange, ServerHelloDone
      | FIN ->                              |
      |                               <- FIN|
    """
    story.open()
    story.hello().answer(asks=None).close()


@scenario
def secret_alert_instead_of_finished(story: Story) -> None:
    """
    client                                server
      | ClientHello -> <- ServerHello ... ServerHelloDone
      | Certificate, ..., CCS, Finished ->  |
      |           <- Alert, encrypted       |
      |                               <- FIN|
    """
    story.open()
    story.hello().answer().certificate().secret_alert(SERVER).close(SERVER)


@scenario
def refused_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, CCS, {23 80 1000 281 53}
      | CCS, {700 281 53}, data ->          |
      |                         <- {19}, FIN|
    """
    story.open()
    story.hello_13().answer_13().client_13(700, 281, 53).records(SERVER, 19).close(SERVER)


@scenario
def client_closes_first_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, CCS, {23 1000 281 53}
      | CCS, {53}, {19}, FIN ->             |
      |                         <- {19}, FIN|
    """
    story.open()
    story.hello_13().answer_13(lengths=(23, 1_000, 281, 53)).client_13(53, 19)
    story.fin(CLIENT)
    story.records(SERVER, 19).fin(SERVER)


@scenario
def client_refuses_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, CCS, {23 1000 281 53}
      | CCS, {19}, FIN ->                   |
      |                               <- FIN|
    """
    story.open()
    story.hello_13().answer_13(lengths=(23, 1_000, 281, 53)).client_13(19).close()


@scenario
def plain_http(story: Story) -> None:
    """
    client                                server
      | GET / ->                            |
      |                      <- 400, FIN    |
    """
    story.open()
    story.send(CLIENT, b"GET / HTTP/1.1\r\nHost: sip.example.com\r\n\r\n")
    story.send(SERVER, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close(SERVER)


@scenario
def relay_pretends(story: Story) -> None:
    """
    client                                server
      | the fixed ClientHello of a relay -> |
      | <- the fixed ServerHello            |
      | <- media ->, FIN                    |
    """
    story.open()
    story.send(CLIENT, tls.ms_turn_client_hello()).send(SERVER, tls.ms_turn_server_hello())
    story.send(CLIENT, bytes(range(200))).send(SERVER, bytes(range(200))).close()


@scenario
def version_refused(story: Story) -> None:
    """
    client                                server
      | ClientHello TLS 1.0 ->              |
      |     <- Alert fatal protocol_version, RST
    """
    story.open()
    story.hello(version=0x0301).alert(SERVER, 70).rst(SERVER)


@scenario
def no_certificate_of_the_server(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, ServerHelloDone   | an anonymous suite
      | ClientKeyExchange, CCS, Finished -> |
      |                  <- CCS, Finished   |
    """
    story.open()
    story.hello().send(SERVER, record(tls.server_hello()) + record(tls.server_hello_done()))
    story.certificate(None).finished().talk().close()
