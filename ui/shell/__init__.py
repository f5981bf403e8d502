"""What stands around every page: frame, navigation, sign-in, server, address, error boundary."""
