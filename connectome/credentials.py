"""Texts without the credentials that URLs may carry: logins before the host, tokens and signatures in the query.

Imports nothing of this package: errors, and with them all messages, pass through here.
"""

from __future__ import annotations

import re

HARMLESS = "alt aws_region channel dataset endpoint generation path prefix region scale versionid volume"
"""What a query may say of a volume and be shown: which one it is, and where."""
URL = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*://[^\s'"<>]+""")
LOGIN = re.compile(r"(?<=://)(?:[^\s/|?#]*@|[^\s/|?#:@]+:(?!//|\d+(?:[/|?#]|$))[^\s|@]*@)")
QUERY = re.compile(r"\?(?=[\w%.~-])([^|\s]*)")
SECRET = re.compile(
    r"(?i)(?<=[?&;])((?:x-(?:amz|goog|ms)-[\w-]+|awsaccesskeyid|googleaccessid|\w*(?:sig|signature|token|password|passwd"
    r"|secret|credential|api_?key))=)[^&\s|'\"]*"
)


def without_credentials(text: str) -> str:
    """A URL, or a text with URLs in it, without logins and with those parts of queries alone that name a volume.

    PostgreSQL's URLs keep the user. A presigned URL and the one that replaced it give the same text.
    """
    if "://" not in text:
        return text
    if not re.search(r"\s", text):
        return _cleaned(text)
    return SECRET.sub(r"\1...", URL.sub(lambda found: _cleaned(found[0]), text))


def _cleaned(url: str) -> str:
    scheme = url.partition("://")[0].lower()
    if scheme.startswith("postgres"):
        url = re.sub(r"^([^:]*://[^:/?#@]*):.*@", r"\1@", url)
        return re.sub(r"(?i)([?&](?:ssl)?password=)[^&]*", r"\1...", url)
    if scheme == "file":
        return url
    return QUERY.sub(_shown_query, LOGIN.sub("", url))


def _shown_query(found: re.Match[str]) -> str:
    pairs = re.split("[&;]", found[1])
    kept = [pair for pair in pairs if pair.partition("=")[0].lower() in HARMLESS.split()]
    return f"?{'&'.join(kept)}" if kept else ""
