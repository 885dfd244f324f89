"""How good an answer was: scorers give a Score with its reason."""
