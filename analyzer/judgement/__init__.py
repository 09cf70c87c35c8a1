"""Questions that several rules ask of a record, each answered once: below the rules, above the facts.

refusal.py: who would not go on with whose certificate. chains.py: what is missing from a chain. validity.py: which
dates are over. expiry.py: which soon will be. issuers.py: does the server's CA list name the client's issuer.
defects.py: all that is wrong with a client's chain, as text. memory.py: keeps what was worked out about an object
that many connections share. story.py: what happened, after what, how it ended. hellos.py: what was offered, was it
refused. alerts.py: what an alert means at this step. causes.py: why a side ends a handshake without a word.
thresholds.py: limits in nanoseconds. elements.py: which certificates of a chain count, and how a sentence names them.
uses.py: what a certificate may be used for. weakness.py: short keys and old hashes. crls.py: where CRLs are.
reading.py: what cannot be read.
"""
