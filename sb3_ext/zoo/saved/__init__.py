"""Files of trained models: found, told apart, and read without unpickling anything."""
