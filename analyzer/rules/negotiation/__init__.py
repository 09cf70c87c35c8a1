"""The hellos: is it TLS at all, which version, suite and name, a new session or an old one."""
