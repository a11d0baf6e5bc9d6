"""Where a policy departs from another, and what that saves."""
