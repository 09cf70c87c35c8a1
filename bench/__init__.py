"""The benchmark: makes its captures itself, times us and the installed peers, prints ratios of one run."""
