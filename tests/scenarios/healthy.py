"""Connections that work."""

from __future__ import annotations

from tests.build import handshake as tls
from tests.build.records import change_cipher_spec, record
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios.story import Story, scenario, sized


@scenario
def mutual(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate, ServerKeyExchange, CertificateRequest [CN=Root], ServerHelloDone
      | Certificate [alice], ..., Finished ->
      |                  <- CCS, Finished   |
      | <- data ->                          |
      | close_notify, FIN -> <- FIN         |
    """
    story.open()
    story.hello().answer().certificate().finished().talk().secret_alert(CLIENT).close()


@scenario
def server_only(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate, ServerKeyExchange, ServerHelloDone
      | ClientKeyExchange, CCS, Finished -> |
      |                  <- CCS, Finished   |
      | <- data ->, FIN                     |
    """
    story.open()
    story.hello().answer(asks=None).certificate(None).finished().talk().close()


@scenario
def empty_certificate(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello ... CertificateRequest, ServerHelloDone
      | Certificate (empty), ..., Finished ->
      |                  <- CCS, Finished   |
      | <- data ->, FIN                     |
    """
    story.open()
    story.hello().answer().certificate(()).finished().talk().close()


@scenario
def resumed(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |       <- ServerHello, CCS, Finished |
      | CCS, Finished ->                    |
      | <- data ->, FIN                     |
    """
    story.open()
    story.hello().resumed().talk().close()


@scenario
def mutual_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, CCS, {23 80 1000 281 53}
      | CCS, {700 281 53} ->                |
      |                      <- {1100 1100} | two tickets
      | <- data ->, {19}, FIN               |
    """
    story.open()
    story.hello_13().answer_13().client_13(700, 281, 53).records(SERVER, 1_100, 1_100)
    story.talk().records(CLIENT, 19).close()


@scenario
def server_only_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, CCS, {23 1000 281 53}
      | CCS, {53} ->                        |
      |                        <- {250 250} | two tickets
      | <- data ->, FIN                     |
    """
    story.open()
    story.hello_13().answer_13(lengths=(23, 1_000, 281, 53)).client_13(53).records(SERVER, 250, 250)
    story.talk().close()


@scenario
def hello_retry_13(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |            <- HelloRetryRequest, CCS
      | CCS, ClientHello ->                 |
      |   <- ServerHello, {23 1000 281 53}  |
      | {53} ->, <- data ->, FIN            |
    """
    story.open()
    story.hello_13().send(SERVER, record(tls.hello_retry_request()) + change_cipher_spec())
    story.send(CLIENT, change_cipher_spec())
    story.hello_13().send(SERVER, record(tls.server_hello_13()) + sized(23, 1_000, 281, 53))
    story.records(CLIENT, 53).talk().close()


@scenario
def long_lived(story: Story) -> None:
    """
    client                                server
      | TLS 1.2 handshake, mutual           |
      | <- 60 records of data each way ->   |
      | close_notify, FIN -> <- FIN         |
    """
    story.open()
    story.hello().answer().certificate().finished()
    for size in range(200, 260):
        story.talk(size)
    story.secret_alert(CLIENT).close()


@scenario
def behind_a_proxy(story: Story) -> None:
    """
    client                                server
      | CONNECT sip.example.com:5061 ->     |
      |                          <- 200 OK  |
      | TLS 1.2 handshake, data, FIN        |
    """
    story.open()
    story.send(CLIENT, b"CONNECT sip.example.com:5061 HTTP/1.1\r\nHost: sip.example.com\r\n\r\n")
    story.send(SERVER, b"HTTP/1.1 200 Connection established\r\n\r\n")
    story.hello().answer().certificate().finished().talk().close()
