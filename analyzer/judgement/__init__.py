"""Questions that several rules ask of a record, each answered once: below the rules, above the facts.

refusal.py: who would not go on with whose certificate. chains.py: what is missing from a chain. validity.py: which
dates are over. issuers.py: does the server's CA list name the client's issuer. defects.py: all that is wrong with a
client's chain, as text. memory.py: keeps what was worked out about an object that many connections share.
story.py: what happened, after what, how it ended. hellos.py: what was offered, was it refused. alerts.py: what an alert
means at this step. causes.py: why a side ends a handshake without a word. thresholds.py: limits in nanoseconds.
"""
