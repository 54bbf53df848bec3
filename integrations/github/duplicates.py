"""Which issue takes the place of one that was closed as a duplicate."""

from __future__ import annotations

from integrations.base import Issue, Place
from integrations.github import wording
from integrations.github.answers import Json, path_of
from integrations.github.wire import Wire

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
    owner, _, name = issue.repository.partition("/")
    found = wire.graphql(_MARKED, {"owner": owner, "name": name, "number": issue.number})
    marked = wire.translated(_marked, found) if found else None
    if marked:
        return marked
    comments = list(wire.pages(path_of(issue.repository, "issues", issue.number, "comments")))
    texts = wire.translated(lambda items: [str(item.get("body") or "") for item in reversed(items)], comments)
    said = wording.duplicated([*texts, body], issue.repository)
    return None if said == Place(issue.repository, issue.number) else said


def _marked(found: Json) -> Place | None:
    events = [node for node in found["repository"]["issue"]["timelineItems"]["nodes"] if node]
    issue = (events[-1].get("canonical") if events else None) or {}
    return Place(issue["repository"]["nameWithOwner"], int(issue["number"])) if "number" in issue else None
