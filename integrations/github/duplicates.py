"""Which issue takes the place of one that was closed as a duplicate, and closing one so."""

from __future__ import annotations

from integrations.base import Issue, Place, Rejected
from integrations.github import answers, wording
from integrations.github.answers import Json, path_of
from integrations.github.wire import Wire
from integrations.wording import same

# "MarkedAsDuplicateEvent" is all that GraphQL has of it, REST has nothing; closing as a duplicate makes one
_MARKED = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      timelineItems(last: 10, itemTypes: [MARKED_AS_DUPLICATE_EVENT, UNMARKED_AS_DUPLICATE_EVENT]) {
        nodes {
          __typename
          ... on MarkedAsDuplicateEvent { canonical { ... on Issue { number repository { nameWithOwner } } } }
        }
      }
    }
  }
}
"""


def canonical(wire: Wire, issue: Issue, body: str) -> Place | None:
    """The issue that it was marked as a duplicate of, else the one that its newest "Duplicate of …" line names."""
    return _canonical(wire, issue) or _said(wire, issue, body)


def close(wire: Wire, issue: Issue, body: str, of: Place) -> None:
    """Close `issue` as a duplicate of the one at `of`, and say so in a comment where GitHub has not taken that down.

    It names the other by its id since 2026 ("Update an issue": `duplicate_issue_id`); a server without ignores that, an
    older one refuses the reason, and each of them reads the comment ("Marking issues or pull requests as a duplicate").
    An issue that is closed already keeps its reason: GitHub changes that with its state alone.
    """
    other, other_id = wire.get(
        path_of(of.repository, "issues", of.number),
        lambda item: (Place(answers.place_of(item["html_url"]), int(item["number"])), int(item["id"])),
    )
    here = Place(issue.repository, issue.number)
    if same(other, here):
        raise Rejected(wire.name, "an issue is no duplicate of itself")
    if issue.open:
        change = {"state": "closed", "state_reason": "duplicate", "duplicate_issue_id": other_id}
        path = path_of(here.repository, "issues", here.number)
        try:
            wire.write("PATCH", path, change, dict)
        except Rejected:
            wire.write("PATCH", path, {"state": "closed", "state_reason": "not_planned"}, dict)
    known = _canonical(wire, issue), _said(wire, issue, body)
    if not any(place and same(place, other) for place in known):
        said = {"body": f"Duplicate of {other.repository}#{other.number}"}
        wire.write("POST", path_of(here.repository, "issues", here.number, "comments"), said, dict)


def _canonical(wire: Wire, issue: Issue) -> Place | None:
    owner, _, name = issue.repository.partition("/")
    found = wire.graphql(_MARKED, {"owner": owner, "name": name, "number": issue.number})
    return wire.translated(_marked, found) if found else None


def _said(wire: Wire, issue: Issue, body: str) -> Place | None:
    comments = list(wire.pages(path_of(issue.repository, "issues", issue.number, "comments")))
    texts = wire.translated(lambda items: [str(item.get("body") or "") for item in reversed(items)], comments)
    said = wording.duplicated([*texts, body], issue.repository)
    return None if said == Place(issue.repository, issue.number) else said


def _marked(found: Json) -> Place | None:
    events = [node for node in found["repository"]["issue"]["timelineItems"]["nodes"] if node]
    issue = (events[-1].get("canonical") if events else None) or {}
    return Place(issue["repository"]["nameWithOwner"], int(issue["number"])) if "number" in issue else None
