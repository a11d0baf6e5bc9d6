"""What observations show, filled for many labs."""
