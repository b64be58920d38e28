"""`db-api gen`: secrets on standard output and nowhere else."""

import secrets
import sys

import click

from db_api.passwords import MAX_BYTES, generate_password, hash_password

_EXAMPLES = """\b
Examples:
  db-api gen password > auth_pass
  db-api gen password-hash < auth_pass > auth_pass_hash
  db-api gen encryption-key > license_encryption_key"""


@click.group(epilog=_EXAMPLES)
def gen() -> None:
    """Make one secret and print it."""


@gen.command(epilog=_EXAMPLES)
def password() -> None:
    """Make a value for AUTH_PASS: 256 random bits."""
    click.echo(generate_password())


@gen.command("password-hash", epilog=_EXAMPLES)
def password_hash() -> None:
    """Read a password from standard input; print its Argon2id hash for AUTH_PASS_HASH."""
    if sys.stdin.isatty():
        text = click.prompt("Password", hide_input=True, err=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise click.UsageError("the password is empty")
    if len(text.encode("utf-8", "surrogateescape")) > MAX_BYTES:
        raise click.UsageError(f"the password is longer than {MAX_BYTES} bytes")
    try:
        click.echo(hash_password(text))
    except UnicodeEncodeError:
        raise click.UsageError("the password is no text in UTF-8") from None


@gen.command("encryption-key", epilog=_EXAMPLES)
def encryption_key() -> None:
    """Make a value for LICENSE_ENCRYPTION_KEY: 64 hexadecimal digits."""
    click.echo(secrets.token_hex(32))
