"""Bridges GitLab (gitlab.com, or self-managed 16 and later) as a tracker, through python-gitlab.

Set-up: make a project (or group) access token with the role Reporter and the scope `api`; Maintainer, if Passerelle
shall look after its webhook and ask for failed deliveries again. For webhooks: in the project's settings add
<public_url>/webhooks/<name> with a signing token or a secret token, and the events that `docs/integrations/gitlab.md`
lists. Without webhooks, polling finds the same.
"""

from integrations.gitlab.adapter import GitLab
from integrations.gitlab.config import Config

__all__ = ["Config", "GitLab"]
