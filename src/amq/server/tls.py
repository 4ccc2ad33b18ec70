"""From `ssl_options` to an SSLContext for listeners.

Knows the ssl module and its errors; knows nothing of sockets. What Python cannot do is logged, not passed over.
"""

import logging
import ssl
import warnings
from pathlib import Path
from typing import Any, Final

import trio

from amq.config.settings import TlsSettings
from amq.server.errors import SettingError, StartError

LOGGER: Final = logging.getLogger(__name__)

VERSIONS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
# The suites of TLS 1.3 have names of this form; they are no matter of `SSLContext.set_ciphers`.
TLS_1_3_SUITE: Final = "TLS_"
# A verified chain holds the peer's certificate and the root besides the intermediate ones that `depth` counts.
PEER_AND_ROOT: Final = 2
# What OpenSSL calls a key that belongs to another certificate, of the same kind or of another.
MISMATCHES: Final = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
ALLOWED_CERTIFICATES: Final = "allowed: certificates in PEM format"


class ServerContext(ssl.SSLContext):
    """An SSLContext that also knows how many intermediate certificates a client's chain may have."""

    depth: int


class DepthCheckedConnection(ssl.SSLObject):
    """Ends the handshake when the client's chain is longer than its context's `depth` (Python 3.13 and newer)."""

    context: ServerContext

    def do_handshake(self) -> None:
        super().do_handshake()
        chain = self.get_verified_chain()  # type: ignore[attr-defined, unused-ignore]
        if len(chain) > self.context.depth + PEER_AND_ROOT:
            raise ssl.SSLCertVerificationError(f"the client's chain has more than {self.context.depth} intermediates")


def server_context(options: TlsSettings) -> ssl.SSLContext:
    """The context of every TLS listener.

    Raises SettingError for a file that is missing or no PEM, a key that does not belong to the certificate, a wrong
    password, an unknown cipher, a gap between versions, and verify_peer without authorities.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.depth = options.depth
    context.options |= ssl.OP_NO_RENEGOTIATION
    if options.honor_cipher_order:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _choose_versions(context, options.versions)
    _choose_ciphers(context, options.ciphers)
    _load_identity(context, options)
    _ask_for_certificates(context, options)
    return context


def forget(stream: "trio.SSLStream[Any]") -> None:
    """Let go of what a closed stream holds, some 20 KiB of OpenSSL's: it refers to itself, and the collector may
    come by in an hour.
    """
    vars(stream).clear()


def _choose_versions(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    chosen = sorted(VERSIONS[name] for name in names)
    if not chosen:
        raise _wrong("versions", f"none is given, allowed: {', '.join(VERSIONS)}")
    between = [name for name, version in VERSIONS.items() if chosen[0] < version < chosen[-1]]
    missing = [name for name in between if name not in names]
    if missing:
        raise _wrong("versions", f"{missing[0]} is left out, allowed: versions without a gap between them")
    with warnings.catch_warnings():
        # The operator's choice; the ssl module finds TLS 1.0 and 1.1 worth a DeprecationWarning.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = chosen[0]
        context.maximum_version = chosen[-1]


def _choose_ciphers(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    older = [name for name in names if not name.startswith(TLS_1_3_SUITE)]
    if len(older) < len(names):
        LOGGER.warning("ssl_options.ciphers: Python offers every TLS 1.3 suite of the system; a choice has no effect")
    for name in older:
        # One by one: among others OpenSSL passes over those that it does not know.
        try:
            context.set_ciphers(name)
        except ssl.SSLError:
            raise _wrong("ciphers", f"OpenSSL has no '{name}', allowed: OpenSSL names of cipher suites", name) from None
    if older:
        context.set_ciphers(":".join(older))


def _load_identity(context: ssl.SSLContext, options: TlsSettings) -> None:
    if options.certfile is None or options.keyfile is None:
        raise StartError("a TLS listener needs ssl_options.certfile and ssl_options.keyfile")
    _require_readable("certfile", options.certfile)
    _require_readable("keyfile", options.keyfile)
    try:
        # Without a password OpenSSL would ask for it on the terminal.
        context.load_cert_chain(options.certfile, options.keyfile, options.password or "")
    except (ssl.SSLError, ValueError) as error:
        # ValueError: a password that is too long to be one.
        raise _explained(error, options.certfile, options.keyfile, options.password) from None


def _explained(error: Exception, certfile: str, keyfile: str, password: str | None) -> SettingError:
    """Which of the three it is: OpenSSL does not say."""
    reason = getattr(error, "reason", None)
    if not _holds_certificates(certfile):
        return _wrong("certfile", f"no certificates in {certfile}, {ALLOWED_CERTIFICATES}")
    if reason in MISMATCHES:
        problem = f"the key in {keyfile} does not belong to the certificate in {certfile}"
        return _wrong("keyfile", f"{problem}, allowed: the private key of that certificate")
    if reason is not None:
        problem = f"OpenSSL refuses {certfile}: {reason.lower().replace('_', ' ')}"
        return _wrong("certfile", f"{problem}, allowed: a certificate and chain as strong as OpenSSL's security level")
    if not _is_encrypted(keyfile):
        return _wrong("keyfile", f"no private key in {keyfile}, allowed: a private key in PEM format")
    if password is None:
        return _wrong("keyfile", f"the key in {keyfile} is encrypted, allowed: with ssl_options.password only")
    return _wrong("password", f"the key in {keyfile} does not open with it, allowed: the password of that key")


def _holds_certificates(certfile: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certfile)
    except ssl.SSLError:
        return False
    return True


def _is_encrypted(keyfile: str) -> bool:
    return "ENCRYPTED" in Path(keyfile).read_text(errors="replace")


def _ask_for_certificates(context: ServerContext, options: TlsSettings) -> None:
    if options.cacertfile is not None:
        _require_readable("cacertfile", options.cacertfile)
        try:
            context.load_verify_locations(options.cacertfile)
        except ssl.SSLError:
            problem = f"no certificates in {options.cacertfile}, {ALLOWED_CERTIFICATES}"
            raise _wrong("cacertfile", problem) from None
    if options.verify != "verify_peer":
        return
    if options.cacertfile is None:
        problem = "verify_peer has no authorities to check with, allowed: with ssl_options.cacertfile only"
        raise _wrong("verify", problem)
    context.verify_mode = ssl.CERT_REQUIRED if options.fail_if_no_peer_cert else ssl.CERT_OPTIONAL
    if hasattr(ssl.SSLObject, "get_verified_chain"):
        context.sslobject_class = DepthCheckedConnection
    elif options.depth != TlsSettings().depth:
        LOGGER.warning("ssl_options.depth: checked by Python 3.13 and newer only; it has no effect here")


def _require_readable(option: str, path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as error:
        problem = f"cannot read {path}: {error.strerror}, allowed: a file that the broker may read"
        raise _wrong(option, problem) from None


def _wrong(option: str, problem: str, value: str | None = None) -> SettingError:
    return SettingError(f"tls.{option}", f"ssl_options.{option}", problem, value)
