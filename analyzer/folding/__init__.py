"""From rows of one flow to the record, in this order: conversation, timeline, inference, outcome, fold."""
