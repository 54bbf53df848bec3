"""Bridges Intercom as a helpdesk: conversations, notes, replies in the teammate's name, webhooks or polling.

Set-up:
1. Make a teammate for Passerelle alone, with an Inbox seat, and sign in as it: what it writes counts as ours.
2. Developer Hub, New app (internal integration): the access token is under Authentication. With it one can
   read and write conversations, read users and companies, read admins, read and write tags.
3. To be told of changes at once: the same app, Webhooks, `<public address>/webhooks/<name>`, with the topics
   conversation.user.created, .user.replied, .admin.replied, .admin.closed, .admin.opened, .admin.snoozed,
   .admin.assigned, .deleted. `webhook_secret` is the app's client secret, under Basic information.

Pages (developers.intercom.com): REST API 2.14 ("Conversations", "Contacts", "Companies", "Admins", "Tags", "Errors",
"Rate Limiting"), "Set up Webhooks", "Webhook models" and "Signed Notifications"; (intercom.com/help) "Merging
conversations and tickets". The 500 newest parts of a conversation are told.

Merges: what was merged away has a part of the type `merged_secondary_conversation`, what took it in has at the same
moment one of the type `merged_primary_conversation`; no page says how one leads to the other.

Marks: Intercom keeps nothing of ours with a part, and of HTML only what it can show. A note's first word is linked to
its own conversation, with the key's digest behind the "#". A customer would see such a link, so a reply carries none:
nobody but the agent can tell whether one in doubt was sent, and the agent is asked.
"""

from integrations.intercom.adapter import Intercom
from integrations.intercom.config import Config

__all__ = ["Config", "Intercom"]
