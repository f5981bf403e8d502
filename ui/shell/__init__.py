"""What stands around every page: frame, navigation, sign-in, address, error boundary."""
