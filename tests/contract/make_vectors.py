"""Write the golden vectors of the licensing contract, or check that they are the committed ones.

    python tests/contract/make_vectors.py           # writes license_server/wire/vectors/
    python tests/contract/make_vectors.py --check   # writes nothing; exit status 1 if they differ

The modules in `reference/` are a third implementation of the contract beside the server's and the
client's: it imports neither, and everything random in the vectors comes from fixed seeds.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from cases import (
    cache_cases,
    checkpoint_cases,
    decision_cases,
    email_cases,
    file_request_cases,
    issue_cases,
    key_cases,
    keyset_cases,
    license_file_cases,
    problem_cases,
    request_cases,
    self_service_cases,
    state_document,
)
from cases.confirmed import require_unique_names
from reference.encoding import JsonObject

FOLDER = Path(__file__).parents[2] / "license_server" / "wire" / "vectors"
FILES: dict[str, Callable[[], JsonObject]] = {
    "cache.json": cache_cases.document,
    "checkpoint.json": checkpoint_cases.document,
    "decision.json": decision_cases.document,
    "email.json": email_cases.document,
    "file-request.json": file_request_cases.document,
    "issue.json": issue_cases.document,
    "key.json": key_cases.document,
    "keyset.json": keyset_cases.document,
    "license-file.json": license_file_cases.document,
    "problem.json": problem_cases.document,
    "request.json": request_cases.document,
    "self-service.json": self_service_cases.document,
    "state.json": state_document.document,
}


def rendered(make: Callable[[], JsonObject]) -> bytes:
    """Render one file: ASCII, so that no editor or transport changes a character."""
    return (json.dumps(require_unique_names(make()), indent=1) + "\n").encode()


def differing() -> list[str]:
    """Name the files that are missing, differ or have no maker."""
    made = {name: rendered(make) for name, make in FILES.items()}
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    return sorted(name for name in made | found if made.get(name) != found.get(name))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Write the golden vectors.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args().check:
        stale = differing()
        for name in stale:
            sys.stdout.write(f"differs from what make_vectors.py makes: {name}\n")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (FOLDER / name).write_bytes(rendered(make))
    return 0


if __name__ == "__main__":
    sys.exit(main())
