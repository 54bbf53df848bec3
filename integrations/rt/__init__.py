"""Bridges Request Tracker 5 as a helpdesk: comments as notes, correspondence as replies, a signed scrip or polling.

Set-up (docs/integrations/rt.md has the details):
1. Make a privileged user for Passerelle alone, with SeeQueue, ShowTicket, ShowTicketComments, CommentOnTicket,
   ReplyToTicket and ModifyTicket on the queues that it works for, and let it make a token for itself. What this user
   writes counts as Passerelle's own.
2. Make the custom field `Passerelle` (one value, for tickets' transactions), apply it to those queues, and grant
   SeeCustomField and ModifyCustomField on it to that user alone: it holds the keys by which Passerelle finds again what
   it wrote. A mail cannot set a custom field, and nobody without the right sees it.
3. To be told of changes at once: the scrip of the page, with the address and the secret that it asks for.

Pages: "RT::REST2" (docs.bestpractical.com), "TicketSQL", "RT::Transactions", "Scrips", "Lifecycles". Version 5.0.3 was
looked at as it answers; what its page does not say:
- `total` and `pages` are null for who is no superuser, and what one may not see is left out of a page: a list ends with
  an empty page.
- An update that was refused is 200 all the same, with the reason as a sentence in the user's language.
- A deleted ticket is shown, and takes messages; a custom field that is missing, or that we may not set, is left out.
- Times in TicketSQL are read in the user's own time zone, so polling goes by the numbers of transactions instead.
- `TicketId` in a search of transactions also finds other objects of that number, unless `ObjectType` is named.
- Asking for an attachment's `Parent` fails (500) where it has none.
Nobody can write in another's name by this interface.
"""

from integrations.rt.adapter import RT
from integrations.rt.config import Config

__all__ = ["RT", "Config"]
