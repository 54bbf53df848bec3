"""Bridges Zendesk Support as a helpdesk: tickets, internal notes, public replies, follow-ups, webhooks or polling.

Set-up:
1. Make an account for Passerelle alone, with the role agent or admin and access to all tickets; a light agent cannot
   reply to customers. What this account writes counts as Passerelle's own.
2. Admin Center, Apps and integrations, APIs, Zendesk API: switch token access on and make an API token.
3. To be told of changes at once: Admin Center, Webhooks, make one to `<public address>/webhooks/<name>` that subscribes
   to the ticket events "Comment created" and "Status changed", and take its signing secret for `webhook_secret`.

Pages (developer.zendesk.com): "Tickets", "Ticket Comments", "Ticket Audits", "Creating and updating tickets"
(follow-ups, collisions), "Via object reference", "Pagination", "Responses", "Anatomy of a webhook request", "Verifying
webhook authenticity".

A ticket merged into another is closed and has the tag `closed_by_merge`; no page says how the API tells into which.
It is read from the audit of the merge (`via.source.rel` is "merge"), else from the "#…" in what the merge wrote there.
"""

from integrations.zendesk.adapter import Zendesk
from integrations.zendesk.config import Config

__all__ = ["Config", "Zendesk"]
