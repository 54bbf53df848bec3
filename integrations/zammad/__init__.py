"""Bridges Zammad as a helpdesk: tickets, internal notes, replies by mail, tags, webhooks or polling.

Set-up:
1. Make an account for Passerelle alone with the role Agent, and full access to the groups whose tickets are escalated.
   For replies in the agents' own names it needs the permission `admin.user` as well (a role of its own).
2. In that account's profile, Token Access, make a token with the permissions `ticket.agent` and, for those,
   `admin.user`.
3. To be told of changes at once: Manage, Webhook, make one to `<public address>/webhooks/<name>` with an HMAC SHA1
   signature token, which is `webhook_secret`; and Manage, Trigger, one for each ticket that is created or updated,
   whose action is that webhook.

Pages (docs.zammad.org, admin-docs.zammad.org): "Introduction" (tokens, `expand`, pages, `From`), "Tickets", "Articles",
"Tags", "States", "Webhook: payload". Read in Zammad's own source (`tickets_controller.rb`, `ticket.rb`, `article.rb`,
`has_user.rb`, `creates_ticket_articles.rb`, `ticket_article_communicate_email_job.rb`):
- A search takes a condition. A merge stands in a ticket's history as `merged_into`.
- An article keeps `preferences`, and tells there whether its mail was delivered. Pictures in its text are not among its
  attachments. What a customer writes is always public and called a customer's.
- The header `From` is refused, with 403, to whose account may not use it.
"""

from integrations.zammad.adapter import Zammad
from integrations.zammad.config import Config

__all__ = ["Config", "Zammad"]
