"""The key set files that the commands work on: the installed one, the draft, the signed one."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from license_server import keyset_drafts
from license_server.cli.output import say
from license_server.clock import utc_now
from license_server.errors import ConfigurationError
from license_server.key_files import load_keysets
from license_server.keyset_history import KeySetHistory
from license_server.keyset_steps import DRAFT
from license_server.keysets import KeySet, SignedKeySet
from license_server.secret_files import replace_file
from license_server.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class KeySetFolder:
    """The key sets of a server's folder.

    Attributes:
        settings: of the server.
        history: the installed key sets.
        draft_path: of what the roots are asked to sign.
    """

    settings: Settings
    history: KeySetHistory
    draft_path: Path

    @classmethod
    def of(cls, folder: Path) -> "KeySetFolder":
        """Open a server's folder.

        Raises:
            ConfigurationError: its settings or its key sets are unusable.
        """
        settings = load_settings(folder)
        return cls(settings, load_keysets(settings.keyset_file), settings.folder / DRAFT)

    def draft(self) -> KeySet:
        """Return the draft under way, or a new one.

        Raises:
            ConfigurationError: the file is no draft, or one of a key set that was replaced since.
        """
        newest = self.history.newest.content
        if not self.draft_path.exists():
            return keyset_drafts.successor(newest, utc_now())
        draft = read_draft(self.draft_path)
        if draft.epoch != newest.epoch + 1 or draft.iss != newest.iss:
            raise ConfigurationError(
                f"{self.draft_path} is no successor of key set {newest.epoch}: delete it"
            )
        return draft

    def write_draft(self, draft: KeySet) -> None:
        """Put the draft on disk, and say what to do with it."""
        replace_file(self.draft_path, draft.model_dump_json(indent=2).encode("ascii") + b"\n")
        say(f"""wrote {self.draft_path}: key set {draft.epoch}, to be signed by {draft.threshold} of
the roots. Where a root key is, offline:
  license-server keyset sign {DRAFT} --root root.key -o keyset-{draft.epoch}.json
Then on every server, followed by its restart:
  license-server keyset install keyset-{draft.epoch}.json""")


def read_draft(path: Path) -> KeySet:
    """Read an unsigned key set.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return KeySet.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"{path} is no draft of a key set") from error


def read_signed_or_draft(path: Path) -> SignedKeySet:
    """Read a key set that some roots have signed, or none yet.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"cannot read {path}: a JSON file is expected") from error
    if isinstance(document, dict) and "payload" in document:
        return SignedKeySet.read(document)
    return SignedKeySet.sign(read_draft(path), [])
