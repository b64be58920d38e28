"""The reference of an HTTP API, made of its OpenAPI document: for programs and for people."""
