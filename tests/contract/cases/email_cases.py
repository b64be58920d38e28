"""`email.json`: addresses as people write them."""

from cases.actors import EMAIL, octets
from cases.confirmed import FORMAT, Case, refusal, require_detail
from reference.encoding import JsonObject
from reference.owner_email import blind_index, domain_index, read_email

LABEL_63 = "d" * 63
# 254 bytes: a local part of 64, the sign, and a domain of 189.
LONGEST = f"{'l' * 64}@{LABEL_63}.{LABEL_63}.{'e' * 57}.com"

_WRITTEN = {
    "plain": ("ada@example.com", "ada@example.com"),
    "upper case on both sides": ("Ada@EXAMPLE.Com", "ada@example.com"),
    "white space around": (" \t\r\n\f\vada@example.com\v \n", "ada@example.com"),
    "dots and plus tags are kept": ("a.d.a+Tag@example.com", "a.d.a+tag@example.com"),
    "every sign that a local part may hold": (
        "!#$%&'*+/=?^_{|}~.-@example.com",
        "!#$%&'*+/=?^_{|}~.-@example.com",
    ),
    "dots in a row and at the ends": (".a..b.@example.com", ".a..b.@example.com"),
    "the Kelvin sign, which NFC makes a K": ("\u212aarl@example.com", "karl@example.com"),
    "domain with an umlaut": ("ada@B\u00fccher.example", "ada@xn--bcher-kva.example"),
    "the same umlaut decomposed": ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
    "the same domain as A-label": ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
    "eszett is kept apart from ss": ("ada@stra\u00dfe.example", "ada@xn--strae-oqa.example"),
    "fullwidth letters in the domain": ("ada@\uff45xample.com", "ada@example.com"),
    "ideographic full stop": ("ada@example\u3002com", "ada@example.com"),
    "right-to-left domain": (
        "ada@\u05d3\u05d5\u05d2\u05de\u05d4.example",
        "ada@xn--6dbbec0c.example",
    ),
    "digits and inner hyphens": ("1@a-1.b--c.example", "1@a-1.b--c.example"),
    "dotted numbers are labels as any other": ("ada@127.0.0.1", "ada@127.0.0.1"),
    "label of 63": (f"ada@{LABEL_63}.com", f"ada@{LABEL_63}.com"),
    "254 bytes": (LONGEST, LONGEST),
}

_MISWRITTEN = {
    "empty": ("", "at-sign"),
    "no sign": ("ada.example.com", "at-sign"),
    "two signs": ("ada@b@example.com", "at-sign"),
    "fullwidth sign": ("ada\uff20example.com", "at-sign"),
    "quoted sign": ('"a@b"@example.com', "at-sign"),
    "empty local part": ("@example.com", "local-part"),
    "local part of 65": (f"{'l' * 65}@example.com", "local-part"),
    "space in the local part": ("ada b@example.com", "local-part"),
    "no-break space before": ("\u00a0ada@example.com", "local-part"),
    "quoted local part": ('"ada"@example.com', "local-part"),
    "comment": ("ada(work)@example.com", "local-part"),
    "backtick": ("a`da@example.com", "local-part"),
    "display name": ("Ada <ada@example.com>", "local-part"),
    "non-ASCII local part": ("ad\u00e4@example.com", "local-part"),
    "dotless i": ("ada\u0131@example.com", "local-part"),
    "NUL": ("ada\0@example.com", "local-part"),
    "newline inside": ("ada\n@example.com", "local-part"),
    "empty domain": ("ada@", "domain"),
    "one label": ("ada@localhost", "domain"),
    "trailing dot": ("ada@example.com.", "domain"),
    "leading dot": ("ada@.example.com", "domain"),
    "empty label": ("ada@example..com", "domain"),
    "label of 64": (f"ada@{'d' * 64}.com", "domain"),
    "leading hyphen": ("ada@-example.com", "domain"),
    "trailing hyphen": ("ada@example-.com", "domain"),
    "underscore": ("ada@exa_mple.com", "domain"),
    "space in the domain": ("ada@exam ple.com", "domain"),
    "newline in the domain": ("ada@example\n.com", "domain"),
    "address literal": ("ada@[127.0.0.1]", "domain"),
    "IPv6 literal": ("ada@[IPv6:::1]", "domain"),
    "port": ("ada@example.com:25", "domain"),
    "A-label that does not decode": ("ada@xn--a\u00e4.com", "domain"),
    "A-label of nothing": ("ada@xn--.com", "domain"),
    "A-label of an ASCII word": ("ada@xn--example-.com", "domain"),
    "one label with an umlaut": ("ada@b\u00fccher", "domain"),
    "trailing ideographic stop": ("ada@b\u00fccher.example\u3002", "domain"),
    "sign hidden in the domain by width": ("ada@b\u00fccher\uff20example.com", "domain"),
    "symbol that IDNA refuses": ("ada@\u2603.example", "domain"),
    "mixed directions": ("ada@\u05d0a.example", "domain"),
    "255 bytes": (LONGEST.replace("@", "@" + "d.")[1:], "too-long"),
}


def _accepted(name: str, written: str, canonical: str) -> Case:
    assert read_email(written) == canonical, (name, read_email(written))
    return {"name": name, "input": written, "canonical": canonical}


def _refused(name: str, written: str, slug: str) -> Case:
    found = refusal(lambda: read_email(written), "INVALID_FIELD")
    return {"name": name, "input": written, **require_detail(name, found, slug)}


def _indexed(name: str, email: str) -> Case:
    pepper = octets(f"pepper of {name}", 32)
    return {
        "name": name,
        "canonical": email,
        "pepper": pepper.hex(),
        "index": blind_index(email, pepper).hex(),
        "domain_index": domain_index(email, pepper).hex(),
    }


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "indexed": [_indexed("first owner", EMAIL), _indexed("longest address", LONGEST)],
        "accepted": [_accepted(name, *case) for name, case in _WRITTEN.items()],
        "refused": [_refused(name, *case) for name, case in _MISWRITTEN.items()],
    }
