"""What a text is found by: its words, reduced to their stems, and the traces that machines leave in it. Pure.

A stem is the English one's French one: one rule for every text, so that no guess at a language can part a short title
from a long description. Words of other languages pass through nearly as they are. A compound is also one word: people
write "check-out" and "checkout".

Traces are kept whole beside their words, for they are rare and say much: the message of an exception, the file of a
stack frame, an error code, the path of an address. They begin with a sign that no word has.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from urllib.parse import unquote

import snowballstemmer

LONGEST_TEXT = 8000  # characters that are read
LONGEST = 40  # characters of one term
MOST = 400  # different terms of one text

_SAYS_LITTLE = """
    a an and are as at be but by can could do does for from had has have he her his how i if in into is it its me my of
    on or our she should so than that the their them then there these they this those to us was we were what when where
    which while who will with would you your
    au aux avec ce ces cet cette c d dans de des du elle elles en est et etait eux il ils j je l la le les leur leurs
    lui m ma mais me mes mon n nos notre nous on ont ou par pas pour qu que qui s sa se ses son sont sur t ta te tes ton
    tu un une vos votre vous y
    """
STOP = frozenset(_SAYS_LITTLE.split())

_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")  # scripts that set no blank between words
_COMPOUND = re.compile(r"\b[^\W\d_]{1,20}(?:[-_][^\W\d_]{1,20}){1,2}\b")
_ADDRESS = re.compile(
    r"\b[a-z]{2,10}://[^\s/<>\"'()]{1,200}(/[^\s<>\"'()?#]{0,300})?[^\s<>\"'()]{0,500}", re.IGNORECASE
)
_SENTENCE = re.compile(r"\b([A-Za-z][A-Za-z0-9]{0,60}(?:Error|Exception|Fault))\b:[ \t]{0,4}([^\n\r]{4,200})")
_FRAME = re.compile(r"([\w-]{1,40}\.[A-Za-z]{1,5})(?::\d{1,6}|\", line \d)")
_CODE = re.compile(r"\b[A-Z][A-Z0-9]{0,20}(?:[_-][A-Z0-9]{1,20}){1,6}\b|\b0x[0-9A-Fa-f]{4,16}\b")
_STATUS = re.compile(r"\b(?:http|status|code|error|erreur|statut)\s?:?\s?#?(\d{3,6})\b", re.IGNORECASE)
_VARIABLE = re.compile(r"\d+|\"[^\"]{0,60}\"|'[^']{0,60}'|`[^`]{0,60}`|\bnull\b|\bundefined\b")
_NAMED_BY_NUMBER = re.compile(r"(?=.*\d)[0-9a-fA-F-]+")


def terms(text: str) -> Counter[str]:
    """How often each term is in a text: at most 400 terms of at most 40 characters each, from its first 8,000."""
    text = unicodedata.normalize("NFC", storable(text[:LONGEST_TEXT]))
    found = Counter(_traces(text))
    words = _ADDRESS.sub(lambda address: (address[1] or " ").replace("%", " "), text)
    for word in _WORD.findall(words):
        for part in _parted(word.casefold()):
            if part not in STOP:
                found[stem(part)] += 1
    found.update(stem(re.sub("[-_]", "", compound).casefold()) for compound in _COMPOUND.findall(words))
    return found if len(found) <= MOST else Counter(dict(list(found.items())[:MOST]))


def storable(text: str) -> str:
    """The text without what a database refuses: NULs, and halves of characters as a vendor's JSON may hold them."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a word in small letters, without accents, cut to 40 characters; a word of three is its own."""
    short = word[:LONGEST]
    if len(short) < 4:
        return _plain(short)[:LONGEST]
    # Stemmers keep what they work on, so that threads must not share one; making one costs next to nothing.
    english = snowballstemmer.stemmer("english").stemWord(short)
    return _plain(snowballstemmer.stemmer("french").stemWord(english))[:LONGEST]


def _parted(word: str) -> list[str]:
    """The word itself, or each two neighbours of a text that sets no blanks."""
    if not _RUN.search(word) or len(word) < 3:
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _traces(text: str) -> list[str]:
    found = [f"/{_path(address[1])}" for address in _ADDRESS.finditer(text) if address[1] and len(address[1]) > 2]
    for name, message in _SENTENCE.findall(text):
        found.append(f"!{name.casefold()} {_plain(_VARIABLE.sub('*', message).casefold())}")
    found += [f"@{file.casefold()}" for file in _FRAME.findall(text)]
    found += [f"#{code.casefold()}" for code in _CODE.findall(text)]
    found += [f"#{number}" for number in _STATUS.findall(text)]
    return [" ".join(trace.split())[:LONGEST] for trace in found]


def _path(path: str) -> str:
    """The last three parts of an address's path; those that are numbers or ids do not tell one page from another."""
    parts = [part for part in unquote(path).casefold().split("/") if part][-3:]
    return "/".join("*" if _NAMED_BY_NUMBER.fullmatch(part) else part for part in parts)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
