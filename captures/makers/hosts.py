"""Hosts in network namespaces, joined by veth pairs: fixed addresses, MTU 1500, all offloads off.

Nothing leaves the namespaces: they have no route to anywhere but each other.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
OFFLOADS = ("rx", "off", "tx", "off", "tso", "off", "gso", "off", "gro", "off")
NO_IPV6 = ("net.ipv6.conf.default.disable_ipv6=1",)
IPV6 = ("disable_ipv6=0", "accept_dad=0", "router_solicitations=0", "addr_gen_mode=1")


class LabError(Exception):
    """The laboratory could not be set up, or a program in it did not do what the case needs."""


def command(*args: str) -> str:
    """Run to the end; LabError with its output if it fails."""
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Host:
    """One namespace with its own addresses, processes and sockets."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.netns = f"mtlscope-{name}-{os.getpid()}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._resolver: Path | None = None
        command("ip", "netns", "add", self.netns)
        self.run("ip", "link", "set", "lo", "up")
        for setting in NO_IPV6:
            self.run("sysctl", "-qw", setting)

    def use_ipv6(self) -> None:
        """Before cables are plugged in: IPv6 without duplicate detection and router solicitations."""
        for setting in IPV6:
            self.run("sysctl", "-qw", f"net.ipv6.conf.default.{setting}")

    def run(self, *args: str) -> str:
        """Run a program in the namespace to its end; LabError if it fails."""
        return command("ip", "netns", "exec", self.netns, *args)

    def start(self, *args: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a program; it is ended with the host. Its output goes to a log file."""
        log = (self.folder / f"{self.name}-{len(self.processes)}-{Path(args[0]).name}.log").open("wb")
        process = subprocess.Popen(
            ("ip", "netns", "exec", self.netns, *args),
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            start_new_session=True,
        )
        log.close()
        self.processes.append(process)
        return process

    def tcp_socket(self, family: int = socket.AF_INET) -> socket.socket:
        """A TCP socket that lives in the namespace, usable from any thread here."""
        return self._inside(lambda: socket.socket(family, socket.SOCK_STREAM))

    def udp_socket(self) -> socket.socket:
        """A UDP socket that lives in the namespace."""
        return self._inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def raw_socket(self) -> socket.socket:
        """Sends whole IPv4 packets, with any header."""
        return self._inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))

    def listener_of_frames(self, device: str) -> socket.socket:
        """Hears every frame of a device."""
        made = self._inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
        made.bind((device, 0))
        return made

    def use_resolver(self, address: str) -> None:
        """Programs on this host ask this server for names (`ip netns exec` mounts the file over /etc/resolv.conf)."""
        self._resolver = Path("/etc/netns") / self.netns
        self._resolver.mkdir(parents=True)
        (self._resolver / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:2 attempts:1\n")

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening TCP socket."""
        listener = self.tcp_socket(_family(address))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(8)
        return listener

    def connect(self, address: str, port: int, *, source_port: int = 0, timeout: float = 20) -> socket.socket:
        """A connected TCP socket."""
        made = self.tcp_socket(_family(address))
        made.settimeout(timeout)
        if source_port:
            made.bind(("::" if ":" in address else "0.0.0.0", source_port))
        made.connect((address, port))
        return made

    def wait_for_port(self, port: int, process: subprocess.Popen[bytes] | None = None, seconds: float = 40) -> None:
        """Until something listens on `port`, without connecting to it."""
        end = time.monotonic() + seconds
        while not self.run("ss", "-Hltn", f"sport = :{port}").strip():
            if process is not None and process.poll() is not None:
                raise LabError(
                    f"{self.name}: the server ended with {process.returncode}; see the logs in {self.folder}"
                )
            if time.monotonic() > end:
                raise LabError(f"{self.name}: nothing listens on port {port}")
            time.sleep(0.05)

    def close(self) -> None:
        """End the processes that were started here, by their ids, and remove the namespace."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self.processes:
            _end(process)
        command("ip", "netns", "del", self.netns)
        if self._resolver:
            shutil.rmtree(self._resolver)
            with contextlib.suppress(OSError):
                self._resolver.parent.rmdir()

    def _inside(self, make: Callable[[], T]) -> T:
        """Call `make` in a thread that has entered the namespace and ends after it."""

        def enter_and_make() -> T:
            with Path(f"/run/netns/{self.netns}").open("rb") as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                    raise LabError(f"cannot enter {self.netns}: {os.strerror(ctypes.get_errno())}")
            return make()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(enter_and_make).result()


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def join(left: Host, right: Host, names: tuple[str, str] = ("eth0", "eth0"), number: int = 0) -> None:
    """A cable between two hosts. `number` makes the MAC addresses of a second cable different."""
    ends = ((left, names[0], f"02:00:00:00:{number:02x}:0a"), (right, names[1], f"02:00:00:00:{number:02x}:14"))
    here = [f"mts{os.getpid() % 100000}{end}{number}" for end in "ab"]
    command("ip", "link", "add", here[0], "type", "veth", "peer", "name", here[1])
    for temporary, (host, name, mac) in zip(here, ends, strict=True):
        command("ip", "link", "set", temporary, "netns", host.netns, "name", name, "address", mac, "mtu", "1500")
        host.run("ethtool", "-K", name, *OFFLOADS)
        host.run("ip", "link", "set", name, "up")


def address(host: Host, device: str, *addresses: str) -> None:
    """Give a device its addresses ("192.0.2.10/24")."""
    for item in addresses:
        host.run("ip", "addr", "add", item, "dev", device, *(("nodad",) if ":" in item else ()))


def know(host: Host, device: str, mac: str, *addresses: str) -> None:
    """Fixed neighbours, so that captures start with TCP instead of ARP."""
    for item in addresses:
        host.run("ip", "neigh", "replace", item, "lladdr", mac, "nud", "permanent", "dev", device)


@contextlib.contextmanager
def sniff(host: Host, path: Path, *, device: str = "eth0", extra: tuple[str, ...] = ()) -> Iterator[None]:
    """Capture one device of a host with tcpdump while the body runs."""
    tcpdump = ("tcpdump", "-Z", "root", "-i", device, "-U", "--immediate-mode", "-s", "262144", *extra, "-w", str(path))
    process = subprocess.Popen(("ip", "netns", "exec", host.netns, *tcpdump), stderr=subprocess.PIPE, text=True)
    stderr = process.stderr
    if stderr is None or not any("listening on" in line for line in iter(stderr.readline, "")):
        raise LabError("tcpdump did not start")
    try:
        yield
        time.sleep(0.4)
    finally:
        process.terminate()
        process.wait()
        stderr.close()
