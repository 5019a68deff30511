"""TLS towards receivers: always verified, 1.2 at the least, by the system's roots or the receiver's own."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from shared.delivery.secrets import MALFORMED, Tls, Unusable

_LINUX: Final = Path("/proc/self/fd")


def context(tls: Tls) -> ssl.SSLContext:
    """What a receiver's connections are made with. Raises Unusable for certificates or a key that are none.

    Those who bring nothing of their own share one: it holds no connection, and reading the system's roots takes time.
    """
    return _own(tls) if tls.ca is not None or tls.certificate is not None else _system()


@cache
def _system() -> ssl.SSLContext:
    return _strict(ssl.create_default_context())


def _own(tls: Tls) -> ssl.SSLContext:
    try:
        made = _strict(ssl.create_default_context(cadata=tls.ca))
    except (ssl.SSLError, ValueError):
        raise Unusable(MALFORMED, "tls.ca") from None
    if tls.certificate is None or tls.key is None:
        return made
    try:
        with _as_file(tls.certificate) as certificate, _as_file(tls.key.get_secret_value()) as key:
            # A password of our own: without one OpenSSL would ask for it at the terminal.
            made.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError):
        raise Unusable(MALFORMED, "tls.key") from None
    return made


def _strict(made: ssl.SSLContext) -> ssl.SSLContext:
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """OpenSSL reads a certificate and its key from files only: one in memory where the system can, so that no key
    is ever on a disk; elsewhere one that only we can read, for as long as it takes."""
    data = text.encode("utf-8")
    if _LINUX.is_dir() and hasattr(os, "memfd_create"):
        handle = os.memfd_create("pem", os.MFD_CLOEXEC)
        try:
            os.write(handle, data)
            yield f"{_LINUX}/{handle}"
        finally:
            os.close(handle)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.name
