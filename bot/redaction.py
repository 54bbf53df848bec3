"""What is taken out of a text before it leaves the helpdesk: secrets always, personal data unless the policy allows it.

Each rule finds spans and leaves a label such as "[card number]" in their place. Labels are never looked into again,
and the rules run until they find nothing more, so redacting twice changes nothing. Every finder is linear in the
length of the text: patterns have bounded repetitions, or can start only once per run of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]

CARD, IBAN, TOKEN, PASSWORD = "card number", "IBAN", "token", "password"
EMAIL, PHONE, CUSTOMER = "e-mail address", "phone number", "customer"

_LABEL = re.compile(rf"(\[(?:{'|'.join((CARD, IBAN, TOKEN, PASSWORD, EMAIL, PHONE, CUSTOMER))})\])")
_PASSES = 8  # each further pass needs text that only the one before brought together; real text needs one

# A joiner is a letter's or an emoji's neighbour; between ASCII characters it only hides something.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]|(?<=[ -~])[\u200c\u200d]+(?=[ -~])"
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what must not leave, and how often each kind of thing was taken out."""

    text: str
    counts: dict[str, int]


def redact(text: str, names: Iterable[str] = ()) -> Redacted:
    """Take out secrets, e-mail addresses, phone numbers, and the customer's own `names` (names and e-mail address).

    A name is found whole and by its parts of three letters or more, whatever the case and accents.
    """
    wanted = [name for name in names if name.strip()]
    addresses = [name for name in wanted if "@" in name]
    first: list[tuple[str, Finder]] = [(CUSTOMER, _named(addresses))] if addresses else []
    own: list[tuple[str, Finder]] = [(CUSTOMER, _named(wanted))] if wanted else []
    # a name within somebody's address must not hide that it is one
    return _run(text, [*_SECRETS, *first, (EMAIL, _emails), *own, *_PERSONAL])


def without_secrets(text: str) -> Redacted:
    """Take out only what no policy lets leave: bank and card numbers, passwords, tokens and keys."""
    return _run(text, _SECRETS)


def _run(text: str, rules: Sequence[tuple[str, Finder]]) -> Redacted:
    counts: Counter[str] = Counter()
    for _ in range(_PASSES):
        before = text
        text = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
        for label, finder in rules:
            text = _apply(text, label, finder, counts)
        if text == before:
            break
    return Redacted(text, dict(counts))


def _apply(text: str, label: str, finder: Finder, counts: Counter[str]) -> str:
    pieces = _LABEL.split(text)
    for index in range(0, len(pieces), 2):
        piece, at, kept = pieces[index], 0, []
        if not piece.strip():
            continue
        for start, end in _merged(finder(piece)):
            kept += [piece[at:start], f"[{label}]"]
            counts[label] += 1
            at = end
        pieces[index] = "".join(kept) + piece[at:]
    return "".join(pieces)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    start, end = -1, -1
    for left, right in spans:
        if left < end:
            end = max(end, right)
            continue
        if end > start:
            yield start, end
        start, end = left, right
    if end > start:
        yield start, end


def _by(pattern: str, holds: Callable[[re.Match[str]], bool] | None = None) -> Finder:
    """A finder of what `pattern` matches (its group `value`, if it has one), where `holds` agrees."""
    compiled = re.compile(pattern)
    group: str | int = "value" if "value" in compiled.groupindex else 0

    def find(text: str) -> Iterator[Span]:
        return (match.span(group) for match in compiled.finditer(text) if holds is None or holds(match))

    return find


# --- bank data --------------------------------------------------------------------------------------------------------

_BLANK = r"[ \t\u00a0\u2009\u202f]"
_DASH = r"\-\u2010-\u2015\u2212"
_DIGITS = re.compile(r"\d+")
_BETWEEN = re.compile(rf"(?:{_BLANK}|[{_DASH}]){{0,3}}")
_ISSUED = re.compile(r"4\d{12}|3\d{13,14}|[2-6]\d{15,18}")  # lengths that networks issue, by the first digit


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2]) % 10


def _cards(text: str) -> Iterator[Span]:
    groups = list(_DIGITS.finditer(text))
    for first, group in enumerate(groups):
        if int(group.group()[0]) not in range(2, 7):
            continue
        number, end = "", group.start()
        for following in groups[first : first + 19]:
            if number and not _BETWEEN.fullmatch(text, end, following.start()):
                break
            end = following.end()
            if len(number) + end - following.start() > 19:
                break
            number += following.group()
            if _ISSUED.fullmatch(number) and _luhn(number):
                yield group.start(), end


_DOTTED_CARD = _by(
    r"(?<![\d.])\d{4}\.\d{4}\.\d{4}\.\d{4}(?!\d|\.\d)", lambda match: _luhn(match.group().replace(".", ""))
)
_CHECK_CODE = _by(r"(?i:\b(?:cvv2?|cvc2?|cryptogramme(?: visuel)?))[^\w\n]{1,4}(?:is |est )?(?P<value>\d{3,4})\b")
_IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}")
_IBAN_REGISTRY = (  # SWIFT, "IBAN Registry": each country's length
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_REGISTRY.split()}


def _ibans(text: str) -> Iterator[Span]:
    for begin in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(begin.group()[:2].upper())
        if length is None:
            continue
        shape = rf"(?:(?:{_BLANK}|[{_DASH}])?[A-Za-z0-9]){{{length}}}(?![^\W_])"
        found = re.compile(shape).match(text, begin.start())
        if found and _mod97(found.group()):
            yield found.span()


def _mod97(text: str) -> bool:
    plain = "".join(char for char in text if char.isalnum())
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


# --- passwords and tokens ---------------------------------------------------------------------------------------------

_WORD_FOR_IT = (
    r"(?i:pass(?:word|wd|phrase|code)|pwd|\bmdp|mots?[ _-]?de[ _-]?passe|passwort|contraseña|wachtwoord|senha"
    r"|\bcode pin\b|\bpin code\b|pass(?==))"
)
_SAID = (
    rf"{_WORD_FOR_IT}[\"'*_`)]{{0,3}}{_BLANK}{{0,3}}[:=：]{{1,2}}>?[*_`]{{0,3}}{_BLANK}{{0,3}}"
    r"(?P<value>\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|«[^»\n]{1,200}»|“[^”\n]{1,200}”|(?<==)[^\s&]+|\S+)"
)
# "is" also begins a plain sentence ("my password is wrong"), so the word must look like a password.
_SAID_IN_A_SENTENCE = (
    rf"{_WORD_FOR_IT}{_BLANK}{{1,3}}(?i:is|was|est|était|c'est)(?:{_BLANK}?:)?{_BLANK}{{1,3}}[\"'«“`]?{_BLANK}?"
    r"(?P<value>(?=\S{0,100}\d|\S{1,100}[@#$%^&*_+=]\S)\S{4,})"
)
_USER_IN_URL = r"(?<=://)(?P<value>[^\s/?#:@]{0,256}:[^\s/?#]{1,256}|[^\s/?#:@]{16,256})@"

_PRIVATE_KEY = (
    r"(?s:-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:.*?-----END [A-Z ]{0,30}PRIVATE KEY-----|.*))"  # cut short: all
)
_PREFIXED = (
    r"(?<![A-Za-z0-9])(?:sk-[\w-]{16,}|[rsp]k_(?:live|test)_\w{6,}|gh[pousr]_\w{6,}|github_pat_\w{10,}"
    r"|xox[a-z]-[\w.-]{6,}|xapp-[\w-]{6,}|(?:AKIA|ASIA)[A-Z0-9]{16}|gl(?:pat|ptt|dt|rt|cbt)-[\w.-]{10,}"
    r"|AIza[\w-]{30,}|SG\.[\w-]{16,64}\.[\w-]{16,}|npm_\w{30,}|shp(?:at|ss|ca)_\w{16,}|whsec_[\w+/=]{16,}|hf_\w{20,}"
    r"|ya29\.[\w-]{16,}|(?<=hooks\.slack\.com/services/)[\w/]{10,})"
)
_JWT = r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{4,}(?:\.[\w-]*)*"
_IN_QUERY = (
    r"[?&;#](?i:[\w-]{0,40}(?:token|secret|password|passwd|pwd|signature|sig|session|auth|api[_-]?key|access[_-]?key)"
    r"|key|sid|mdp)=(?P<value>[^\s&#]+)"
)
_AFTER_A_WORD = (
    r"(?i:token|key|secret|bearer|basic|authorization|signature|jeton|clé|clef|session(?:[_ ]?id)?)"
    rf"[\"'*_`]{{0,3}}(?:{_BLANK}{{0,3}}(?:[:=]|\bis\b|\best\b){{1,2}}{_BLANK}{{0,3}}|{_BLANK}{{1,3}})"
    rf"[\"'*_`]{{0,3}}(?i:(?:bearer|basic|token){_BLANK})?(?P<value>[A-Za-z0-9+/_=.~-]{{16,}})"
)


def _random(match: re.Match[str]) -> bool:
    """Whether a value looks drawn by chance rather than written: digits among letters, many different characters."""
    value = match["value"][:200]
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    return mixed and len(set(value)) >= 8 and not re.fullmatch(r"[\d.:TZ+/-]+", value)


# --- people -----------------------------------------------------------------------------------------------------------

_DOMAIN = r"(?:[\w-]{1,63}\.)+(?:[xX][nN]--[\w-]{1,59}|[^\W\d_]{2,63})"
_AT = re.compile(rf"(?:@|＠|%40)(?!\dx\.)(?=({_DOMAIN}))")  # not "logo@2x.png"
_USUAL, _ALLOWED = frozenset("_.+%'-"), frozenset("_.+%'-!#$&*/=?^`{|}~")  # before the @; letters and digits too


def _emails(text: str) -> Iterator[Span]:
    at = 0
    for found in _AT.finditer(text):
        start = found.start()
        marks = _USUAL if text[start - 1 : start].isalnum() or text[start - 1 : start] in _USUAL else _ALLOWED
        while start > at and (text[start - 1].isalnum() or text[start - 1] in marks):
            start -= 1
        while start < found.start() - 1 and text[start] in "'.-":
            start += 1
        if start < found.start():
            yield start, found.end(1)
            at = found.end(1)


_BEFORE = r"(?<!\w)(?<!\d[.,/:-])"
_AFTER = r"(?!\w)(?![.,/:-]\w)"
_PAIRS = rf"(?P<gap>{_BLANK}|[./{_DASH}]|)\d{{2}}(?:(?P=gap)\d{{2}}){{3}}"  # one and the same gap: a date has two
_FRENCH = rf"{_BEFORE}0[1-9]{_PAIRS}{_AFTER}"
_FRENCH_ABROAD = (
    rf"(?<![\w+])(?:\+|00){_BLANK}?33{_BLANK}?(?:[./{_DASH}]|\(0\))?{_BLANK}?0?[1-9]"
    rf"(?:(?:{_BLANK}|[./{_DASH}])?\d{{2}}){{4}}(?!\d)"
)
_ABROAD = rf"(?<![\w+])\+{_BLANK}?[1-9]\d{{0,2}}(?:(?:{_BLANK}|[().{_DASH}]){{0,3}}\d){{6,13}}(?!\d)"
_ABROAD_00 = rf"{_BEFORE}00{_BLANK}?(?:3[0-9]|4[0-9]|1)(?:(?:{_BLANK}|[().{_DASH}]){{0,3}}\d){{8,12}}{_AFTER}"
_AMERICAN = rf"{_BEFORE}(?:\([2-9]\d{{2}}\){_BLANK}?\d{{3}}|[2-9]\d{{2}}[-.]\d{{3}})[-. ]\d{{4}}{_AFTER}"
_CALLED_PHONE = (
    r"(?i:\b(?:t[ée]l(?:[ée]phone)?|phone|mobile|portable|cell|fax|gsm|whatsapp))(?i:[. ]{0,2}(?:number|no|n°|is|est))?"
    rf"[.]?{_BLANK}{{0,2}}:?{_BLANK}{{0,2}}(?!\d{{4}}-\d\d-\d\d|\d{{1,3}}(?:\.\d{{1,3}}){{2,3}}\b)"
    rf"(?P<value>[+(]?\d(?:[{_DASH} \u00a0\u202f.()/]{{0,2}}\d){{6,14}})(?!\w)"
)
_ORDER = re.compile(
    r"(?i:(?:#|\b(?:order|commande|ticket|invoice|facture|r[ée]f(?:[ée]rence)?|dossier|colis|parcel|siret|sku|serial|id))"
    r"[ .:#]{0,3}(?:number|num[ée]ro|no\.?|n[°ºo]\.?)?[ :#\u00a0]{0,3})\Z"
)


def _called_otherwise(match: re.Match[str]) -> bool:
    return bool(_ORDER.search(match.string[max(0, match.start() - 40) : match.start()]))


def _dialled(match: re.Match[str]) -> bool:
    return bool(match["gap"]) or not _called_otherwise(match)


class _Folds(dict[int, str]):
    """Folds a character to its lower-case letter without accents, one for one, so that positions stay."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_PARTICLES = frozenset({"the", "and", "des", "les", "del", "der", "den", "van", "von", "dos", "mrs", "mme", "mlle"})


def _named(names: Iterable[str]) -> Finder:
    wholes = {unicodedata.normalize("NFC", name).translate(_Folds()).strip() for name in names}
    parts = {part for whole in wholes if "@" not in whole for part in re.split(r"[\W_]+", whole) if len(part) >= 3}
    wanted = sorted(wholes | (parts - _PARTICLES), key=len, reverse=True)
    spelled = "|".join(r"\s{1,3}".join(map(re.escape, name.split())) for name in wanted if name)
    pattern = re.compile(rf"(?<![^\W_])(?:{spelled})(?![^\W_])")

    def find(text: str) -> Iterator[Span]:
        return (match.span() for match in pattern.finditer(text.translate(_Folds())))

    return find


_SECRETS: tuple[tuple[str, Finder], ...] = (
    (TOKEN, _by(_PRIVATE_KEY)),
    (PASSWORD, _by(_USER_IN_URL)),
    (PASSWORD, _by(_SAID)),
    (PASSWORD, _by(_SAID_IN_A_SENTENCE)),
    (TOKEN, _by(_IN_QUERY)),
    (TOKEN, _by(_JWT)),
    (TOKEN, _by(_PREFIXED)),
    (TOKEN, _by(_AFTER_A_WORD, _random)),
    (IBAN, _ibans),
    (CARD, _cards),
    (CARD, _DOTTED_CARD),
    (CARD, _CHECK_CODE),
)
_PERSONAL: tuple[tuple[str, Finder], ...] = (
    (PHONE, _by(_FRENCH_ABROAD)),
    (PHONE, _by(_ABROAD)),
    (PHONE, _by(_ABROAD_00, lambda match: not _called_otherwise(match))),
    (PHONE, _by(_FRENCH, _dialled)),
    (PHONE, _by(_AMERICAN)),
    (PHONE, _by(_CALLED_PHONE)),
)
