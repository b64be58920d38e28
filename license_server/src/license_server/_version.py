"""The version of this distribution, read by the build and sent to the other side."""

__version__ = "0.1.0"
