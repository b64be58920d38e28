"""The name and version of this distribution, sent to the other side; the build reads the latter."""

from typing import Final

CLIENT_NAME: Final = "license-client"
__version__ = "0.1.0"
