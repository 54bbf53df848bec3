"""The contract suites that adapters pass; authors of third-party adapters subclass them."""
