"""Questions that several rules ask of a record, each answered once: below the rules, above the facts.

Of a chain: chains.py: what is missing from it. links.py, ways.py: do the sent certificates certify each other. elements.py:
which of them count, and how a sentence names them. validity.py: which dates are over. expiry.py: which soon will be. uses.py:
what a certificate may be used for. weakness.py: short keys and old hashes. schemes.py: who accepts its signatures. crls.py:
where CRLs are. reading.py: what cannot be read. names.py: what a leaf is called. defects.py: all that is wrong with a
client's, as text. stores.py, trust.py: which store judges it, and does it. opinions.py: another verifier's view.

Of a handshake: story.py: what happened, after what, how it ended. hellos.py: what was offered, was it refused. alerts.py:
what an alert means at this step. causes.py: why a side ends one without a word. refusal.py: who would not go on with whose
certificate. issuers.py, intermediates.py: whom the server's CA list names. expected.py: which server was meant. injection.py:
was a reset forged. renegotiation.py: a second one inside. revocation.py: silence while revocation was checked.

Of a whole capture: capture_view.py: who presented what where. identities.py, pools.py, placement.py, roles.py: what servers
are and have to present. federation.py: SRV records. clocks.py: what time hosts believe it is.

For all: kind.py: what is asked once for many connections. memory.py: keeps what was worked out. phrases.py: shared words.
thresholds.py: limits in nanoseconds.
"""
