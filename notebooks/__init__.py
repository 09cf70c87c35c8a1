"""Five stories on the captures of this repository, and the plots that they share. See docs/notebooks.md."""
