"""`amq hash-password`: the hash of a password, for definitions and `--password-hash`. No broker is asked."""

from typing import Final

import click

from amq.auth.passwords import hash_password
from amq.cli import given

ALGORITHMS: Final = {
    "sha256": "rabbit_password_hashing_sha256",
    "sha512": "rabbit_password_hashing_sha512",
}


@click.command(
    "hash-password",
    short_help="hash a password, without asking a broker",
    help="Hash a password, without asking a broker. Without PASSWORD it is asked for, or read from the first line of "
    "stdin. RabbitMQ takes these hashes, too.",
)
@click.argument("password", required=False)
@click.option(
    "--algorithm", type=click.Choice(list(ALGORITHMS)), default="sha256", help="sha256 (the default) or sha512"
)
def command(password: str | None, algorithm: str) -> None:
    """Write the hash."""
    secret = given.password() if password is None else password
    click.echo(hash_password(secret.encode(), ALGORITHMS[algorithm]))
