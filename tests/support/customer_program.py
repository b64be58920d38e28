"""A customer's program that runs for long, after the client's README.

It does what it is told on stdin, a method of the client and its arguments a line, and answers each
with a line of JSON. A process of its own: nothing but the client is imported here.
"""

import json
import os
import sys

from license_client import LicenseClient, LicenseError


def main() -> None:
    """Do what stdin says, until it ends."""
    client = LicenseClient.from_env(product=os.environ["LICENSE_PRODUCT"])
    for line in sys.stdin:
        method, *arguments = line.split()
        try:
            status = getattr(client, method)(*arguments)
        except LicenseError as error:
            told = {"raised": type(error).__name__, "code": error.code}
        else:
            told = {"usable": status.usable, "state": status.state, "code": status.code}
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
