"""Ports: free or not, told in one line that names the option to change."""

import socket

from ordertrail.domain.failures import OrdertrailError


class PortInUse(OrdertrailError):
    """Something else listens where we want to."""


def claim(host: str, port: int, *, what: str, option: str) -> int:
    """The port, if it is free now; a free one if `port` is 0. Raises PortInUse naming it and the option."""
    try:
        return _bind(host, port)
    except OSError:
        alternative = _bind(host, 0)
        raise PortInUse(
            "port_in_use",
            f"port {port} ({what}) on {host} is in use; end what uses it or choose another, "
            f"such as {option} {alternative} ({option} 0 takes any free one)",
        ) from None


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
