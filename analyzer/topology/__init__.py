"""What the user says about the deployment: hosts, roles, pools, domains. Facts beside the capture, never guesses.

model.py: the facts, and which of them an address stands for. reading.py: from TOML, with mistakes told in one line;
positions.py: where a key stands in the file. demands.py: which names the certificates of a place need. plan.py: all
certificates that a topology needs; requests.py: as request files. guess.py: a topology to start from, seen in captures;
writing.py: as TOML.
"""
