"""mtlscope: why a mutual-TLS link does not come up."""
