"""A certificate authority of one test run, and certificates as the files that servers read."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A server's certificate chain and key, and the authority that clients are told to trust."""

    cert: Path
    key: Path
    ca: Path

    def client_context(self) -> ssl.SSLContext:
        """Make a client's context that trusts this authority alone."""
        return ssl.create_default_context(cafile=self.ca)

    def server_context(self) -> ssl.SSLContext:
        """Make the context of a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


def issue_certificate(folder: Path, *names: str, name: str = "server") -> TlsFiles:
    """Write a certificate for `names` by a new authority into `folder`.

    Args:
        folder: where the files go.
        names: host names and addresses; 127.0.0.1 and localhost if none are given.
        name: of the files, so that several fit into a folder.
    """
    authority = trustme.CA()
    issued = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
    files = TlsFiles(folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}-ca.pem")
    files.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    files.key.write_bytes(issued.private_key_pem.bytes())
    files.key.chmod(0o600)
    files.ca.write_bytes(authority.cert_pem.bytes())
    return files
