"""Everything the program is told, read once: the YAML file and the environment, or a list of all that is wrong.

Nothing is read at import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from bot.configuration import Configuration, Connection, Project
from bot.options import web_address
from bot.reading import Key, SettingsError, fill, findings, place, read, wrong
from integrations.base import Finding

ConfigOf = Callable[[str], type[BaseModel]]
"""The configuration model of an adapter by its kind; raises LookupError, with a sentence, for a kind there is not."""


_ODD = (
    "holds a character that no token has",
    "Copy it again, without what an editor makes of it: curly quotes, or an end of line within.",
)


def _sendable(token: Any) -> bool:
    """Whether a header can carry `token`, where it is one."""
    return not isinstance(token, SecretStr) or re.fullmatch(r"[ -~]*", token.get_secret_value()) is not None


def _dialled(url: Any) -> bool:
    """Whether the host and the port of `url` can be looked up, where it is an address."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        (parts.hostname or "").encode("idna")
        return parts.port != 0
    except ValueError:  # a port that is no number, a part of the host that is empty or too long
        return False


def _token(prefix: str) -> AfterValidator:
    def hold(value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(prefix):
            raise wrong(
                f"does not start with {prefix}", "Copy the right one of the app's tokens at api.slack.com/apps."
            )
        if not _sendable(value):
            raise wrong(*_ODD)
        return value

    return AfterValidator(hold)


def _driver(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
    return value


def _api(value: str) -> str:
    if not value.endswith("/api/"):
        raise wrong("does not end in /api/", "Leave it unset for Slack itself.")
    return web_address(value) + "/"


class Environment(BaseModel):
    """The variables of the contract. An empty secret is one that is not set."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=str.upper, validate_by_name=True, hide_input_in_errors=True
    )

    passerelle_config: Path = Path("passerelle.yaml")
    database_url: Annotated[SecretStr, BeforeValidator(_driver)] = SecretStr("sqlite:///passerelle.db")
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    slack_bot_token: Annotated[SecretStr, _token("xoxb-")] = SecretStr("")
    slack_app_token: Annotated[SecretStr, _token("xapp-")] = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: Annotated[str, AfterValidator(_api)] = "https://slack.com/api/"
    log_format: Literal["text", "json"] = "text"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Environment:
        """The variables in `environ`, empty ones as if unset; enough for a command that needs the database alone."""
        try:
            return cls.model_validate({name: value.strip() for name, value in environ.items() if value.strip()})
        except ValidationError as error:
            raise SettingsError(list(findings(error, cls).values())) from None


# --- both -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the program was told."""

    environment: Environment
    config: Configuration

    def project(self, key: str) -> Project:
        """The project of that key; KeyError when the configuration no longer has it."""
        return {project.key: project for project in self.config.projects}[key]

    def channel(self, project: Project) -> str:
        """The Slack channel for the cards of `project`."""
        return project.channel or self.config.slack.channel


def load(
    file: Traversable | None, environ: Mapping[str, str], tracker_config: ConfigOf, helpdesk_config: ConfigOf
) -> Settings:
    """The settings from `file` (None: where PASSERELLE_CONFIG says) and `environ`.

    Raises SettingsError with every problem there is.
    """
    found: list[Finding] = []
    environment = Environment()
    try:
        environment = Environment.read(environ)
        found += _slack_access(environment)
    except SettingsError as error:
        found += error.findings
    configuration: Configuration | None = None
    try:
        configuration = _configuration(file or environment.passerelle_config, environ, tracker_config, helpdesk_config)
    except SettingsError as error:
        found += error.findings
    if found or configuration is None:
        raise SettingsError(found)
    return Settings(environment, configuration)


def _slack_access(environment: Environment) -> list[Finding]:
    found = []
    if not environment.slack_bot_token:
        mend = "Set it to the app's Bot User OAuth Token, which starts with xoxb-."
        found.append(Finding("SLACK_BOT_TOKEN", "is not set", mend))
    if not environment.slack_app_token and not environment.slack_signing_secret:
        problem = "is not set, and neither is SLACK_SIGNING_SECRET, so nothing from Slack can arrive"
        found.append(Finding("SLACK_APP_TOKEN", problem, "Set it to an app-level token, which starts with xapp-."))
    return found


def _configuration(
    file: Traversable, environ: Mapping[str, str], tracker_config: ConfigOf, helpdesk_config: ConfigOf
) -> Configuration:
    data, unfilled = fill(read(file), environ)
    found: dict[Key, Finding] = {}
    for section, config_of in (("trackers", tracker_config), ("helpdesks", helpdesk_config)):
        if isinstance(data.get(section), dict):
            data[section] = _connections(data[section], section, config_of, str(file), found)
    names = tuple(data["trackers"]) if isinstance(data.get("trackers"), dict) else ()
    try:
        configuration = Configuration.model_validate(data, context={"trackers": names})
    except ValidationError as error:
        found |= findings(error, Configuration, str(file))
    for key, told in unfilled.items():
        found[key] = Finding(place(key, str(file)), *told)
    if found:
        raise SettingsError(list(found.values()))
    return configuration


class _Unread(BaseModel):
    """Holds the place of an entry that could not be read, so that its name still counts."""


def _connections(
    entries: dict[Any, Any], section: str, config_of: ConfigOf, file: str, found: dict[Key, Finding]
) -> dict[Any, Any]:
    """Each entry as a Connection; what is wrong goes into `found`, and the entry's place is kept."""
    connections: dict[Any, Any] = {}
    for name, entry in entries.items():
        key: Key = (section, str(name))
        connections[name] = Connection(kind="", config=_Unread())
        if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
            mend = "Write it as config/example.yaml does, with its kind, address and token."
            found[(*key, "kind")] = Finding(place((*key, "kind"), file), "is missing", mend)
            continue
        try:
            model = config_of(entry["kind"])
        except LookupError as error:
            found[(*key, "kind")] = Finding(place((*key, "kind"), file), "is not one there is", str(error.args[0]))
            continue
        try:
            connections[name] = Connection(kind=entry["kind"], config=model.model_validate(entry))
        except ValidationError as error:
            found |= findings(error, model, file, key)
            continue
        config = connections[name].config
        if not _sendable(getattr(config, "token", None)):
            found[(*key, "token")] = Finding(place((*key, "token"), file), *_ODD)
        if not _dialled(getattr(config, "url", None)):
            mend = "Look at the dots in its host, and at the number after the colon if there is one."
            found[(*key, "url")] = Finding(place((*key, "url"), file), "is not an address that can be called", mend)
    return connections
