"""What the capture shows beside TLS: DNS, fetches of CRLs and the like, stated clocks. Facts only, bounded, no opinion."""
