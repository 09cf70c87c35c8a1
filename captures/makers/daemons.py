"""Servers that are started with a configuration file: nginx, HAProxy, kamailio."""

from __future__ import annotations

from pathlib import Path

from captures.makers.lab import Lab
from captures.makers.pki import Identity

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err info; worker_processes 1; user root;
events {{ worker_connections 32; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; server_tokens off;
{servers}
}}
"""

NGINX_SERVER = """
  server {{
    listen {port} ssl; server_name {name}; ssl_certificate {cert}; ssl_certificate_key {key}; {options}
    location / {{ default_type text/plain; return 200 "hello\\n"; }}
  }}
"""

HAPROXY = """
global
    log stdout format raw local0
    maxconn 32
    tune.ssl.default-dh-param 2048
defaults
    mode tcp
    timeout connect 5s
    timeout client 20s
    timeout server 20s
listen tls
    bind 0.0.0.0:{port} ssl crt {both} {options}
    server echo 127.0.0.1:{backend}
"""

KAMAILIO = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
enable_tls=yes
disable_core_dump=yes
listen=tls:192.0.2.20:5061
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "pv.so"
modparam("tls", "config", "{folder}/tls.cfg")
request_route {{
    sl_send_reply("200", "OK");
}}
"""

KAMAILIO_TLS = """[server:default]
method = {method}
verify_certificate = yes
require_certificate = yes
private_key = {key}
certificate = {fullchain}
ca_list = {trust}
"""


def nginx(lab: Lab, identity: Identity, options: str, *, port: int = 443, name: str = "_", more: str = "") -> None:
    """One TLS server block with `options`, and `more` blocks."""
    folder = lab.folder.resolve()
    block = NGINX_SERVER.format(port=port, name=name, cert=identity.fullchain, key=identity.key, options=options)
    config = _write(folder / "nginx.conf", NGINX.format(folder=folder, servers=more + block))
    process = lab.server.start("nginx", "-e", str(folder / "nginx.err"), "-p", str(folder), "-c", str(config))
    lab.server.wait_for_port(port, process)


def haproxy(lab: Lab, identity: Identity, options: str, *, port: int = 443, backend: int = 9000) -> None:
    """TLS in front of a plain server on `backend`."""
    text = HAPROXY.format(port=port, both=identity.both, options=options, backend=backend)
    config = _write(lab.folder.resolve() / "haproxy.cfg", text)
    lab.server.wait_for_port(port, lab.server.start("haproxy", "-db", "-f", str(config)))


def kamailio(lab: Lab, identity: Identity, trust: Path, method: str = "TLSv1.2+") -> None:
    """A SIP server on 5061 that insists on client certificates and answers 200 to everything."""
    folder = lab.folder.resolve()
    tls = KAMAILIO_TLS.format(method=method, key=identity.key, fullchain=identity.fullchain, trust=trust)
    _write(folder / "tls.cfg", tls)
    config = _write(folder / "kamailio.cfg", KAMAILIO.format(folder=folder))
    runtime = ("-Y", str(folder), "-P", str(folder / "kamailio.pid"), "-w", str(folder))
    lab.server.wait_for_port(5061, lab.server.start("kamailio", "-f", str(config), "-DD", "-m", "32", *runtime))


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
