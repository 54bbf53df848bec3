"""Bridges Freshdesk as a helpdesk: tickets, private notes, public replies, webhooks of automation rules or polling.

Set-up:
1. Make an agent for Passerelle alone, a support agent with global access to tickets whose role may also see agents and
   contacts. What this agent writes counts as Passerelle's own. Take its API key from its profile settings.
2. `hold_status`: the number of the status that a ticket has while it waits for a developer, 7 for "Waiting on Third
   Party", which new accounts have; null where a ticket's status is nobody's but the agents' to change.
3. To be told of changes at once: Admin, Automations, rules on ticket creation and on ticket updates (reply or note
   added, status changed) with the action "Trigger webhook": POST to `<public address>/webhooks/<name>`, JSON, custom
   header `X-Passerelle-Secret: <webhook_secret>`, content `{"ticket_id": "{{ticket.id}}"}`. Freshdesk signs nothing.

Pages: developers.freshdesk.com/api ("Errors", "Rate Limit", "View a Ticket", "List All Tickets", "Archive Tickets",
"Conversations", "Agents", "Contacts", "Companies"); "Using Webhooks in automation rules" (support.freshdesk.com).

Marks: a reply or note has no field of ours, so its HTML is wrapped in an element whose class names the key's digest.
Where Freshdesk drops that class, nothing is found, and an agent is asked about a reply in doubt.

No page says how the API tells that a ticket was merged: such a ticket reads as a closed one.
"""

from integrations.freshdesk.adapter import Freshdesk
from integrations.freshdesk.config import Config

__all__ = ["Config", "Freshdesk"]
