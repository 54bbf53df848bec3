"""Stand-ins for helpdesks: each speaks one vendor's documented wire over the same neutral records."""
