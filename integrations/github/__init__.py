"""Bridges GitHub (github.com, or Enterprise Server with a url ending in /api/v3) as a tracker, through PyGithub.

Set-up: make a fine-grained token for a machine account that can see the repository, with Issues: read and write,
Pull requests: read, Contents: read, Metadata: read (a classic token: scope `repo`). For webhooks: in the repository's
settings add <public_url>/webhooks/<name>, content type application/json, a secret, and the events Issues,
Issue comments and Releases. Without webhooks, polling finds the same.
"""

from integrations.github.adapter import GitHub
from integrations.github.config import Config

__all__ = ["Config", "GitHub"]
