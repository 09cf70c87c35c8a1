"""What the capture itself does not show, and which verdicts that withholds."""
