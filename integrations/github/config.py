"""How to reach one GitHub, and as whom: by a token, or as a GitHub App."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import jwt
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.+)-----END \1-----", re.DOTALL)
_APP = ("app_id", "private_key", "installation_id")


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("Must look like https://api.github.com, or https://github.acme.example/api/v3")
    if parts.hostname in ("github.com", "www.github.com"):
        raise ValueError("Is where people work; the API is at https://api.github.com")
    return value.rstrip("/")


def _key(value: SecretStr) -> SecretStr:
    """The key as a PEM whose lines are in order again, from its text or from the file that is named."""
    text = value.get_secret_value().strip()
    found = _PEM.search(text if "-----BEGIN" in text else _content(text))
    if found is None:
        raise ValueError("Holds no private key: neither PEM text nor a path to a file with it")
    body = "".join(found[2].replace("\\n", "").split())  # an environment variable may hold "\n", or blanks
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    pem = "\n".join([f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""])
    try:
        jwt.encode({}, pem, algorithm="RS256")
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError):  # each wrong kind of key fails in its own way
        raise ValueError("Holds no private key that GitHub's apps sign with: unencrypted RSA, in PEM form") from None
    return SecretStr(pem)


def _content(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError):  # ValueError: no path at all, or a file that is no text
        raise ValueError("Names no file that can be read, and is no PEM text either") from None


def _id(value: object) -> str:
    text = str(value).strip()
    if re.fullmatch(r"[1-9]\d*|Iv[\w.]+", text) is None:
        raise ValueError("Is neither the number nor the client id of a GitHub App")
    return text


class Config(BaseModel):
    """How to reach one GitHub; `pace` is the seconds between writes ("Best practices for using the REST API": ≥ 1).

    Either `token`, or `app_id` (or the app's client id), `private_key` (PEM, or a path to it) and `installation_id`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["github"] = "github"
    url: Annotated[str, AfterValidator(_address)] = Field(
        default="https://api.github.com", description="the API's address; a server of your own has it at /api/v3"
    )
    token: SecretStr | None = None
    app_id: Annotated[str, BeforeValidator(_id)] | None = Field(
        default=None, description="the App ID on the GitHub App's settings page"
    )
    private_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        default=None, description="a private key that GitHub made for the app, or the path of its .pem file"
    )
    installation_id: int | None = Field(
        default=None, ge=1, description="the number at the end of the installation's address"
    )
    webhook_secret: SecretStr | None = None
    pace: float = 1.0

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        given = [name for name in _APP if getattr(self, name) is not None]
        lacking = [f"`{name}`" for name in _APP if name not in given]
        if self.token is not None and given:
            raise ValueError(f"Holds both `token` and `{given[0]}`: keep the token, or work as a GitHub App")
        if self.token is None and not given:
            raise ValueError("Holds neither `token` nor, for a GitHub App, `app_id`, `private_key`, `installation_id`")
        if given and lacking:
            raise ValueError(f"Lacks {' and '.join(lacking)}, which a GitHub App needs beside `{given[0]}`")
        return self
