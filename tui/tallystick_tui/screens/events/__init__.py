"""Events as they land, and one of them with its receipt."""
