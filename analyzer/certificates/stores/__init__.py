"""Trust stores: one file a format, and the public roots that come with us. Formats are told apart by content, never by name."""
