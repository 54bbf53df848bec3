"""How to reach one GitLab, and as whom."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _address(value: str) -> str:
    """The address people open: python-gitlab adds /api/v4 itself."""
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("Must look like https://gitlab.com, or https://gitlab.acme.example")
    return value.strip().rstrip("/").removesuffix("/api/v4")


def _signing(value: SecretStr) -> SecretStr:
    try:
        key = signing_key(value)
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        raise ValueError("Is no signing token: GitLab shows one once, whsec_ and base64, when it makes it")
    return value


def signing_key(secret: SecretStr) -> bytes:
    """What "Standard Webhooks" signs with: the bytes behind `whsec_…`."""
    return base64.b64decode(secret.get_secret_value().strip().removeprefix("whsec_"), validate=True)


class Config(BaseModel):
    """How to reach one GitLab; `pace` is the seconds between writes ("Rate limits": 60 notes a minute)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["gitlab"] = "gitlab"
    url: Annotated[str, AfterValidator(_address)] = "https://gitlab.com"
    token: SecretStr = Field(description="a project, group or personal access token with the scope api")
    webhook_secret: SecretStr | None = Field(default=None, description="the webhook's secret token, sent as it is")
    signing_secret: Annotated[SecretStr, AfterValidator(_signing)] | None = Field(
        default=None, description="the webhook's signing token, whsec_…; needs GitLab that signs its webhooks"
    )
    not_planned_label: str = Field(
        default="not planned", description="the label that says why an issue was closed, as GitLab keeps no reason"
    )
    pace: float = 1.0
