"""Scripts for those who keep this repository; nothing here is installed."""
