"""Arguments in, one call, exit code out. One file a command."""
