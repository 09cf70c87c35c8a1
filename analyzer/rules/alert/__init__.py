"""What the peers said themselves: alerts in clear and encrypted."""
