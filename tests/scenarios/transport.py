"""What TCP, the network and the capture do to connections."""

from __future__ import annotations

from tests.build.frames import ACK, PSH, RST
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios.story import ALICE, ROOT, SIP, Story, client_flight, scenario, server_flight


@scenario
def refused(story: Story) -> None:
    """
    client            server
      | SYN ->          |
      |       <- RST    |
    """
    story.syn()
    story.put(SERVER, seq=0, ack=story.seq[CLIENT], flags=RST | ACK)


@scenario
def nobody_answers(story: Story) -> None:
    """
    client            server
      | SYN ->          |
      | SYN -> (1 s)    |
      | SYN -> (2 s)    |
    """
    story.syn().wait(1).syn()
    story.wait(2).syn()


@scenario
def probe(story: Story) -> None:
    """
    client            server
      | SYN, SYN-ACK, ACK
      | FIN -> <- FIN   |
    """
    story.open().close()


@scenario
def sent_again_in_vain(story: Story) -> None:
    """
    client                                server
      | ClientHello -> <- ServerHello ... ServerHelloDone
      | Certificate ... Finished ->         | never acknowledged
      | the same ->  (1 s, 3 s)             |
    """
    story.open()
    story.hello().answer()
    first = len(story.packets)
    story.certificate(heard=False)
    flight = range(first, len(story.packets))
    for seconds in (1, 3):
        story.wait(seconds)
        for index in flight:
            story.again(index)


@scenario
def server_falls_silent(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |                             <- ACK  | and nothing more, while another connection goes on
    """
    story.open()
    story.hello()


@scenario
def hole_in_the_server_flight(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, (300 bytes not captured, but acknowledged), ... ServerHelloDone
      | Certificate, ..., Finished ->       |
      |                  <- CCS, Finished   |
    """
    flight = server_flight(SIP.chain, (ROOT.subject,))
    story.open()
    story.hello().send(SERVER, flight[:200]).lose(SERVER, 300).send(SERVER, flight[500:])
    story.certificate().finished().talk().close()


@scenario
def hole_in_the_client_flight(story: Story) -> None:
    """
    client                                server
      | ClientHello -> <- ServerHello ... CertificateRequest, ServerHelloDone
      | (first 500 bytes not captured, but acknowledged) ... Finished ->
      |                  <- CCS, Finished   |
    """
    flight = client_flight(ALICE.chain)
    story.open()
    story.hello().answer().lose(CLIENT, 500).send(CLIENT, flight[500:])
    story.finished().talk().close()


@scenario
def only_the_client(story: Story) -> None:
    """
    client                                server
      | TLS 1.2 handshake, mutual           | but the server's packets are not in the capture
    """
    story.open()
    story.hello().answer().certificate().finished().talk().close()
    story.packets[:] = [packet for packet in story.packets if packet.data[26:30] == bytes((192, 0, 2, 10))]


@scenario
def starts_inside(story: Story) -> None:
    """
    client                                server
      | <- data ->  (the handshake was before the capture)
      | FIN -> <- FIN                       |
    """
    story.hello().answer().certificate().finished()
    story.packets.clear()
    story.talk().talk().talk().close()


@scenario
def cut_by_the_snapshot_length(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- ServerHello, Certificate (cut) | only 400 bytes of each packet were kept
      | Certificate, ..., Finished -> <- CCS, Finished
    """
    flight = server_flight(SIP.chain, (ROOT.subject,))
    story.open()
    story.hello()
    story.put(SERVER, flight, flags=ACK | PSH, snap=400)
    story.lose(SERVER, len(flight)).ack(CLIENT)
    story.certificate().finished().talk().close()


@scenario
def window_closed(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |                     <- ACK window 0 |
      |              (4 s)  <- ACK window open
      |   <- ServerHello ... ServerHelloDone
      | Certificate ... Finished -> <- CCS, Finished, data, FIN
    """
    story.open()
    story.hello()
    story.put(SERVER, window=0)
    story.wait(4).ack(SERVER)
    story.answer().certificate().finished().talk().close()


@scenario
def echo_of_an_alert(story: Story) -> None:
    """
    client                                server
      | ClientHello ->                      |
      |   <- Alert fatal handshake_failure  |
      | RST ->                              | only an answer
    """
    story.open()
    story.hello().alert(SERVER, 40).rst(CLIENT)


@scenario
def late_echo(story: Story) -> None:
    """
    client                                server
      | ClientHello -> <- ServerHello ... ServerHelloDone
      |                               <- RST|
      | ClientKeyExchange ... ->            | was on its way
      |                        <- RST (1 s) |
    """
    story.open()
    story.hello().answer().rst(SERVER)
    story.certificate(heard=False).wait(1)
    story.rst(SERVER)


@scenario
def same_ports_again(story: Story) -> None:
    """
    client                                server
      | TLS 1.2 handshake, reset            |
      | SYN with a new sequence number ->   | the same ports: a new connection
      | TLS 1.2 handshake, data, FIN        |
    """
    story.open()
    story.hello().answer().certificate().rst(SERVER)
    again = Story(sport=story.ends[0][1], isn=(77_000_000, 88_000_000), start_ns=story.now_ns)
    again.open()
    again.hello().answer().certificate().finished().talk().close()
    story.packets += again.packets
    story.now_ns = again.now_ns
