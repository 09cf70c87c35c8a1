"""Trust stores: formats, look-ups, and the bundled public roots."""
