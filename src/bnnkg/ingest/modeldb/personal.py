"""Takes e-mail addresses and people's names out of free text."""

from __future__ import annotations

import re
from collections.abc import Iterable

ADDRESS = "[address removed]"
NAME = "[name removed]"

# Every pattern begins where no character of a name stands before it, so that each is tried once
# for each word: a hostile text costs no more than its length.
_LOCAL = r"""(?<![^\s@\uff20<>()\[\]{},;:"'|])([^\s@\uff20<>()\[\]{},;:"'|]++)"""
_HOST = r"[\w-]+(?:\.[\w-]+)+"
_SPELT_HOST = r"[\w-]+(?:(?:\.|\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\s(?:dot|DOT)\s)[\w-]+)+"
_PLAIN = re.compile(rf"{_LOCAL}\s{{0,2}}[@\uff20]\s{{0,2}}{_HOST}")
_BRACKETED = re.compile(
    rf"{_LOCAL}\s{{0,2}}[\[({{<]\s?(?:at|AT|@)\s?[\])}}>]\s{{0,2}}{_SPELT_HOST}"
)
_SPELT = re.compile(rf"{_LOCAL}\s{{1,2}}(?:at|AT)\s{{1,2}}({_SPELT_HOST})")
_TOP_LEVEL = re.compile(r"[a-z]{2,24}|[A-Z]{2,24}")
_BEFORE_A_PLACE = frozenset(
    {
        *("accessed", "accessible", "archived", "are", "available", "code", "contact", "data"),
        *("database", "deposited", "described", "distributed", "download", "downloadable"),
        *("downloaded", "entry", "files", "found", "freely", "here", "hosted", "is", "link"),
        *("located", "look", "maintained", "model", "models", "obtained", "obtainable", "online"),
        *("open", "page", "posted", "provided", "public", "publicly", "repository", "see"),
        *("shared", "site", "software", "source", "stored", "was", "web", "webpage", "website"),
        "were",
    }
)
"""Words after which "at example.org" is a place where something is, and no address."""


def without_addresses(text: str) -> str:
    """The text with each e-mail address replaced, also where its signs are spelt out.

    ``jane@example.org``, ``jane [at] example [dot] org`` and ``jane at example.org`` are
    addresses; ``available at example.org`` is none.
    """
    text = _PLAIN.sub(ADDRESS, text)
    text = _BRACKETED.sub(ADDRESS, text)
    return _SPELT.sub(_spelt_address, text)


def _spelt_address(match: re.Match[str]) -> str:
    top_level = re.split(r"\W+", match[2])[-1]
    is_place = match[1].lower() in _BEFORE_A_PLACE or not _TOP_LEVEL.fullmatch(top_level)
    return match[0] if is_place else ADDRESS


def without_names(text: str, names: Iterable[str]) -> str:
    """The text with each of these names replaced, wherever it stands in full.

    Args:
        text: Free text.
        names: As ModelDB writes them: ``Doe, Jane`` or ``Doe, Jane [Jane.Doe at example.org]``.
    """
    for form in sorted({form for name in names for form in _forms(name)}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", NAME, text, flags=re.IGNORECASE)
    return text


def _forms(name: str) -> list[str]:
    plain = re.sub(r"[\[(<].*", "", name, flags=re.DOTALL)
    last, _, first = (" ".join(part.split()) for part in plain.partition(","))
    if not (last and first):
        return [last] if " " in last else []
    return [f"{last}, {first}", f"{first} {last}", f"{last} {first}"]
