"""What ships by GitLab: its releases, the tags without one, and what its deployments put on an environment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.base import Deployment, NotFound, Rejected, Release
from integrations.gitlab import answers, code
from integrations.gitlab.answers import Json, page_of, path_of
from integrations.gitlab.wire import PAGE, Wire
from integrations.versions import height, is_prerelease

_TAG_PAGES = 3
_ENVIRONMENT_PAGES = 3


def releases(wire: Wire, repo: str, bare_tags: bool) -> list[Release]:
    """The newest published releases, newest first, at most 100; then, if asked, tags without one, highest first.

    Those with a date to come stand first in GitLab's list, so two pages are read. Of the tags 300 count.
    """
    pages = _TAG_PAGES if bare_tags else 2
    query = {"order_by": "released_at", "sort": "desc"}
    items = list(wire.pages(path_of(repo, "releases"), query, limit=pages))
    page = page_of(wire.config.url, wire.name_of(repo))
    published = wire.translated(lambda found: answers.releases(found, wire.now(), f"{page}/-"), items)[:PAGE]
    if not bare_tags:
        return published
    query = {"order_by": "updated", "sort": "desc"}
    listed = list(wire.pages(path_of(repo, "repository", "tags"), query, limit=_TAG_PAGES))
    shas = wire.translated(lambda tags: {str(tag["name"]): str(tag["commit"]["id"]) for tag in tags}, listed)
    taken = {item.get("tag_name") for item in items}
    bare = [_bare(wire, repo, tag, sha) for tag, sha in shas.items() if tag not in taken]
    return published + sorted(bare, key=lambda release: height(release.tag), reverse=True)


def _bare(wire: Wire, repo: str, tag: str, sha: str) -> Release:
    url = page_of(wire.config.url, wire.name_of(repo), "tags", tag)
    return Release(f"tag:{tag}", tag, tag, url, None, is_prerelease(tag), sha)


# --- deployments ------------------------------------------------------------------------------------------------------


def deployed(wire: Wire, repo: str, environment: str) -> Deployment | None:
    """What runs on `environment`: the deployment that succeeded last; a rollback is a newer one of an older commit.

    Where no environment has that name, it is the tier of some: then what all of those have counts, so that nothing is
    told before the last of them has it, and a rollback of one is one. Rejected: GitLab shows us no deployments.
    """
    try:
        found = _running(wire, repo, environment)
        if found:
            return found
        names = tier(wire, repo, environment)
        running = [each for name in names if (each := _running(wire, repo, name))]
    except NotFound as missing:  # to take it for "nothing runs there" would undo what shipped
        raise Rejected(wire.name, f"it shows us no deployments of {repo}") from missing
    if len(running) < len(names) or not running:
        return None
    return _least(wire, repo, sorted(running, key=lambda each: each.at))


def _least(wire: Wire, repo: str, running: list[Deployment]) -> Deployment:
    """The one that all others stand on; where none does, the first, with the newest commit that all of them have."""
    shas = list(dict.fromkeys(each.sha for each in running))
    shared = shas[0] if len(shas) == 1 else code.common(wire, repo, shas)
    found = next((each for each in running if each.sha == shared), None)
    if found or not shared:
        return found or running[0]
    return replace(running[0], id=f"{running[0].id}@{shared}", sha=shared)


def tier(wire: Wire, repo: str, environment: str) -> list[str]:
    """The names of the environments of that tier that are not stopped, [] when one has that very name.

    Those that are made for a branch and stopped with it (review apps) are of the tier `development`.
    """
    told = _environments(wire, repo)
    if environment in told:
        return []
    return [name for name, of in told.items() if of.casefold() == environment.casefold()]


def is_known(wire: Wire, repo: str, environment: str) -> bool:
    """Whether an environment has that name or is of that tier."""
    told = _environments(wire, repo)
    return environment in told or environment.casefold() in {of.casefold() for of in told.values()}


def _environments(wire: Wire, repo: str) -> dict[str, str]:
    """Name → tier of those that are not stopped ("Environments API")."""
    items = list(wire.pages(path_of(repo, "environments"), {"states": "available"}, limit=_ENVIRONMENT_PAGES))
    return wire.translated(lambda found: {str(item["name"]): str(item.get("tier") or "") for item in found}, items)


def _running(wire: Wire, repo: str, environment: str) -> Deployment | None:
    query = {"environment": environment, "status": "success", "order_by": "id", "sort": "desc", "per_page": PAGE}
    items = wire.get(path_of(repo, "deployments"), list, query)
    here = [item for item in items if (item.get("environment") or {}).get("name") == environment]
    return wire.translated(lambda found: _last(wire, repo, found), here) if here else None


def _last(wire: Wire, repo: str, items: list[dict[str, Any]]) -> Deployment:
    last = max(items, key=lambda item: (_ended(item), int(item["id"])))
    job = (last.get("deployable") or {}).get("web_url")
    page = page_of(wire.config.url, wire.name_of(repo), "environments", last["environment"]["id"])
    return Deployment(str(last["id"]), last["environment"]["name"], last["sha"], job or page, _ended(last))


def _ended(item: Json) -> datetime:
    """When it succeeded: when its job ended; of one made by the API, when it was changed last."""
    job = item.get("deployable") or {}
    return datetime.fromisoformat(item.get("finished_at") or job.get("finished_at") or item["updated_at"])
