"""Labs that differ from place to place, and the observation of one agent for all of them."""
