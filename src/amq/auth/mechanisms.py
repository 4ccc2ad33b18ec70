"""SASL mechanisms without I/O: bytes of the client in; credentials, a challenge or a refusal out.

A mechanism object serves one login. It finds out who the client claims to be and with what proof; whether that is
so, the backends decide (`amq.auth.chain`).
"""

from collections.abc import Sequence
from typing import Final

from amq.auth.certificates import CertificateNames
from amq.auth.credentials import Challenge, Credentials, LoginPeer, Refusal
from amq.config.settings import Settings
from amq.errors import COMMAND_INVALID, SYNTAX_ERROR, ConnectionFault
from amq.wire.tables import Table, TableError, decode_body

Answer = Challenge | Credentials | Refusal


class Mechanism:
    """Base of every mechanism: `start` takes the response of `start-ok`, `proceed` that of each `secure-ok`."""

    name = ""
    # Whether it is offered on TLS connections only.
    tls_only = False

    def __init__(self, peer: LoginPeer, names: CertificateNames, anonymous: Credentials | None) -> None:
        self.peer = peer
        self.names = names
        # Of whoever does not say who he is.
        self.anonymous = anonymous

    def start(self, response: bytes) -> Answer:
        """The first step. Raises ConnectionFault(502) for a malformed response."""
        raise NotImplementedError

    def proceed(self, response: bytes) -> Answer:
        """The step after a Challenge. Raises ConnectionFault(502) for a malformed response."""
        raise ConnectionFault(SYNTAX_ERROR, f"{self.name} has no second step")


class Plain(Mechanism):
    """`\\0user\\0password` (RFC 4616). RabbitMQ takes no authorization identity before the first NUL."""

    name = "PLAIN"

    def start(self, response: bytes) -> Answer:
        parts = response.split(b"\0")
        if len(parts) != 3 or parts[0]:
            raise ConnectionFault(SYNTAX_ERROR, "response is not NUL, user, NUL, password")
        return Credentials(_text(parts[1]), parts[2])


class AmqPlain(Mechanism):
    """A field table without its length, with LOGIN and PASSWORD (AMQP 0-8)."""

    name = "AMQPLAIN"

    def start(self, response: bytes) -> Answer:
        try:
            table = decode_body(response)
        except TableError as error:
            raise ConnectionFault(SYNTAX_ERROR, f"AMQPLAIN auth info is no table: {error}") from None
        login, password = _octets(table, "LOGIN"), _octets(table, "PASSWORD")
        return Credentials(_text(login), password)


class External(Mechanism):
    """The name comes from the certificate that TLS has verified; the response is not looked at."""

    name = "EXTERNAL"
    # Offered even without a certificate: the refusal says more than a missing mechanism would.
    tls_only = True

    def start(self, response: bytes) -> Answer:
        if not self.peer.tls:
            return Refusal("not a TLS-enabled connection")
        if not self.peer.certificate:
            return Refusal("connection peer presented no TLS (x.509) certificate")
        name = self.names.name_in(self.peer.certificate)
        if name is None:
            return Refusal("no name found in the peer's certificate")
        return Credentials(name, None)


class Anonymous(Mechanism):
    """Whoever comes is taken for one user (`anonymous_login_user`, `anonymous_login_pass`). Offered only if configured.

    The response is trace information (RFC 4505) and not looked at.
    """

    name = "ANONYMOUS"

    def start(self, response: bytes) -> Answer:
        if self.anonymous is None:
            return Refusal("anonymous logins are switched off")
        return self.anonymous


class ChallengeResponseDemo(Mechanism):
    """RabbitMQ's demonstration of `connection.secure`: as safe as PLAIN, in two steps. Offered only if configured."""

    name = "RABBIT-CR-DEMO"
    PREFIX: Final = b"My password is "

    def start(self, response: bytes) -> Answer:
        self._login = response
        return Challenge(b"Please tell me your password")

    def proceed(self, response: bytes) -> Answer:
        if not response.startswith(self.PREFIX):
            raise ConnectionFault(SYNTAX_ERROR, "response does not begin with 'My password is '")
        return Credentials(_text(self._login), response[len(self.PREFIX) :])


REGISTRY: Final[dict[str, type[Mechanism]]] = {
    mechanism.name: mechanism for mechanism in (Plain, AmqPlain, External, Anonymous, ChallengeResponseDemo)
}


class Mechanisms:
    """The mechanisms that are configured, in their order (`auth_mechanisms`).

    `anonymous` are the credentials of whoever comes by ANONYMOUS, None to refuse them.
    """

    def __init__(
        self, configured: Sequence[str], names: CertificateNames, anonymous: Credentials | None = None
    ) -> None:
        self._anonymous = anonymous
        self._configured = tuple(configured)
        self._names = names

    def offered(self, peer: LoginPeer) -> list[str]:
        """Names for `connection.start`."""
        return [name for name in self._configured if name in REGISTRY and (peer.tls or not REGISTRY[name].tls_only)]

    def begin(self, name: str, peer: LoginPeer) -> Mechanism:
        """A login by that mechanism.

        Raises ConnectionFault(503) when there is no such mechanism or it is not offered here.
        """
        if name not in REGISTRY:
            raise ConnectionFault(COMMAND_INVALID, f"unknown authentication mechanism '{name}'")
        if name not in self.offered(peer):
            raise ConnectionFault(COMMAND_INVALID, f"invalid authentication mechanism '{name}'")
        return REGISTRY[name](peer, self._names, self._anonymous)


def mechanisms_for(settings: Settings) -> Mechanisms:
    """The mechanisms as they are set."""
    names = CertificateNames(
        settings.ssl_cert_login_from, settings.ssl_cert_login_san_type, settings.ssl_cert_login_san_index
    )
    logins = settings.logins
    anonymous = None
    if logins.anonymous_user is not None:
        anonymous = Credentials(logins.anonymous_user, logins.anonymous_pass.encode())
    return Mechanisms(settings.auth_mechanisms, names, anonymous)


def _text(octets: bytes) -> str:
    # What is no UTF-8 names nobody, but it must reach the log; surrogates stand for the octets.
    return octets.decode("utf-8", "surrogateescape")


def _octets(table: Table, key: str) -> bytes:
    field = table.get(key)
    if field is None:
        raise ConnectionFault(SYNTAX_ERROR, f"AMQPLAIN auth info is missing {key}")
    if not isinstance(field[1], bytes):
        raise ConnectionFault(SYNTAX_ERROR, f"AMQPLAIN auth info uses an unsupported type for {key}")
    return field[1]
