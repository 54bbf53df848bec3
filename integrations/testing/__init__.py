"""The contract suites that adapters pass, and what a stand-in for a helpdesk can be built from; authors of third-party
adapters use both (docs/integrations/write-your-own.md)."""
